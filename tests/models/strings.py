# SPDX-License-Identifier: MIT
"""The 200 strings that tokenizers are compared on."""

import random

CHOSEN = [
    "Hello, world!", "hello", " hello", "  hello", "   hello   ", "a b  c   d    e",
    "The quick brown fox jumps over the lazy dog.", "I'm, you're, he's, we'll, they'd've",
    "I'M YOU'RE HE'S WE'LL THEY'D DON'T", "it's 'quoted' text's", "'s 't 're 've 'm 'll 'd",
    "don\u2019t \u2018curly\u2019", "x='s'", "1234567890", "1 22 333 4444 55555", "3.14159",
    "a1b2c3", "room101", "101room", " 7 8  9", "1,000,000.00", "\u0663\u0664\u0665 \u0967\u0968\u0969",
    "\u00bd \u00b2 \u2167 \u2460", "\n", "\n\n", "\n\n\n", "\r\n", "\r\n\r\n", "\r", "line\nline",
    "line\n\nline", "line \n line", "line\n  indented\n\tand tabbed", "  \n  ", "\t", "\t\t", "\ta",
    "a\t", "a \t b", " ", "  ", "   ", "    ", " \u00a0 ", "\u00a0a", "a\u2003b", "a\u3000b",
    "a\u2028b\u2029c", "\u0085", "\u000b\u000c", "\u180e", "a\u180eb \u180e c", "\u200b", "a\u200bb",
    "\ufeffa", "!", "!!", "!!!", " !", "?!?!", "...", "a...b", "(a) [b] {c} <d>", "a+b=c", "#include <x>",
    "int main(void) { return 0; }", "for (i = 0; i < n; i++)\n\tsum += a[i];", "a_b __c__", "x->y",
    "https://example.org/a/b?c=d&e=%20f#g", "name@example.org", "C:\\Users\\x", "50% off", "$5", "\u20ac5 \u00a35",
    "Zo\u00eb na\u00efve caf\u00e9", "Zoe\u0308 nai\u0308ve", "\u00c4\u00d6\u00dc\u00e4\u00f6\u00fc\u00df",
    "\u03b1\u03b2\u03b3 \u0391\u0392\u0393", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
    "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627", "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\u3053\u3093\u306b\u3061\u306f", "\uc548\ub155\ud558\uc138\uc694",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\U0001f600", "a\U0001f600b", " \U0001f600 \U0001f680",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f", "\U00010348",
    "\U0001d400\U0001d7d8", "\U000e0041", "\ufffd", "\u0000", "a\u0001b", "\u007f",
    "\u017f 'S '\u017f", "\u212a 'M", "\u01c5\u02b0\u0300", "_", "`code`", "\"quoted\"", "~^|",
    "<tool>", "a<tool>b", " <tool> ", "<tool_call>", "<tool_call><tool>", "<<tool>>", "<tool",
    "<|im_start|>", "a<|im_end|>b", "<|endoftext|>", "wonderfully", " wonderfully", " wonderfullyx",
    "wonderfully!", "Once upon a time there was a little", "aaaaaaaaaaaaaaaaaaaaaaaa",
    "ababababababab", "abcabcabc", "the the the", "thethethe", "THE The tHe",
]

PARTS = ["the", "The", " and", "little", "'s", "'LL", " ", "  ", "\n", "\t", "\r\n", "7", "42", "2026", ",",
         ".", "!?", "--", "\u00e9", "\u00df", "\u4f60", "\u0644", "\u0300", "\U0001f600", "\u00a0", "\u2003",
         "_", "(", ")", "#", "<tool>", "\u0663", "\u00b2", "wonderfully", "x", "'"]


def strings():
    """The chosen ones, and random mixtures."""
    rng = random.Random(200)
    mixed = ["".join(rng.choice(PARTS) for _ in range(rng.randint(2, 12)))
             for _ in range(200 - len(CHOSEN))]
    return CHOSEN + mixed
