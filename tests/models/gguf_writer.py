# SPDX-License-Identifier: MIT
"""Minimal GGUF version 3 writer; Python 3 standard library only."""

import struct

ALIGNMENT = 32
MAGIC = b"GGUF"
VERSION = 3

# GGUF metadata value types
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
# ggml tensor types, and the numbers and bytes of their blocks
GGML_F32, GGML_F16, GGML_Q4_K, GGML_Q6_K = 0, 1, 12, 14
BLOCKS = {GGML_F32: (1, 4), GGML_F16: (1, 2), GGML_Q4_K: (256, 144),
          GGML_Q6_K: (256, 210)}
# token types of tokenizer.ggml.token_type
TOKEN_NORMAL, TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_USER, TOKEN_BYTE = 1, 2, 3, 4, 6

_SCALAR = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}


def _string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _value(kind, value):
    return _string(value) if kind == STRING else struct.pack(
        _SCALAR[kind], value)


class Writer:
    """Collects metadata and tensors in order, then writes one file."""

    def __init__(self):
        self.metadata = []
        self.tensors = []

    def add(self, key, kind, value):
        """Add one metadata value of a scalar type or STRING."""
        self.metadata.append(
            _string(key) + struct.pack("<I", kind) + _value(kind, value))

    def add_array(self, key, kind, values):
        """Add one metadata array whose items all are of type kind."""
        self.metadata.append(
            _string(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
            + b"".join(_value(kind, v) for v in values))

    def add_tensor(self, name, dims, kind, values):
        """Add a tensor.

        dims is in GGUF order: dims[0] is the contiguous dimension (the
        input features of a matrix).  values is a flat sequence of floats.
        """
        count = 1
        for dim in dims:
            count *= dim
        if count != len(values):
            raise ValueError(f"{name}: {len(values)} values for {dims}")
        code = {GGML_F32: "f", GGML_F16: "e"}[kind]
        data = struct.pack(f"<{count}{code}", *values)
        self.tensors.append((name, tuple(dims), kind, data))

    def add_zeros(self, name, dims, kind):
        """Add a tensor of zeros, which is a hole in the file."""
        numbers, size = BLOCKS[kind]
        if dims[0] % numbers:
            raise ValueError(f"{name}: rows of {dims[0]} are no blocks")
        for dim in dims:
            size *= dim
        self.tensors.append((name, tuple(dims), kind, size // numbers))

    def add_blocks(self, name, columns, kind, data):
        """Add a row of a type whose bytes are given."""
        self.tensors.append((name, (columns,), kind, data))

    def write(self, path, share=False):
        """Write the file and return its size in bytes.

        With share, tensors with the same bytes have them once.
        """
        out = [MAGIC, struct.pack("<IQQ", VERSION, len(self.tensors),
                                  len(self.metadata))]
        out += self.metadata
        parts = []
        offsets = {}
        end = 0
        for name, dims, kind, data in self.tensors:
            if not share or data not in offsets:
                offsets[data] = end
                parts.append((end, data))
                end += data if isinstance(data, int) else len(data)
                end += -end % ALIGNMENT
            out.append(_string(name))
            out.append(struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims,
                                   kind, offsets[data]))
        head = b"".join(out)
        head += bytes(-len(head) % ALIGNMENT)
        with open(path, "wb") as file:
            file.write(head)
            for offset, data in parts:
                if not isinstance(data, int):
                    file.seek(len(head) + offset)
                    file.write(data)
            file.truncate(len(head) + end)
        return len(head) + end


def add_llama(writer, name, licence, hp, file_type, architecture="llama"):
    """Add the general.* and architecture's metadata from the dict hp."""
    writer.add("general.architecture", STRING, architecture)
    writer.add("general.name", STRING, name)
    writer.add("general.license", STRING, licence)
    writer.add("general.alignment", U32, ALIGNMENT)
    writer.add("general.file_type", U32, file_type)
    for key, field in (("context_length", "context"),
                       ("embedding_length", "dim"),
                       ("block_count", "layers"),
                       ("feed_forward_length", "ff"),
                       ("attention.head_count", "heads"),
                       ("attention.head_count_kv", "kv_heads"),
                       ("rope.dimension_count", "head_dim"),
                       ("vocab_size", "vocab")):
        writer.add(f"{architecture}.{key}", U32, hp[field])
    writer.add(f"{architecture}.attention.layer_norm_rms_epsilon", F32, hp["eps"])
    writer.add(f"{architecture}.rope.freq_base", F32, hp["rope_base"])
    if hp["head_dim"] * hp["heads"] != hp["dim"]:
        for key in "key_length", "value_length":
            writer.add(f"{architecture}.attention.{key}", U32, hp["head_dim"])


def add_tokenizer(writer, tokens, scores, types):
    """Add a 'llama' (SentencePiece) tokenizer: unk 0, bos 1, eos 2."""
    writer.add("tokenizer.ggml.model", STRING, "llama")
    writer.add_array("tokenizer.ggml.scores", F32, scores)
    writer.add("tokenizer.ggml.add_space_prefix", BOOL, True)
    _add_tokens(writer, tokens, types)


def add_bpe(writer, pre, tokens, types, merges):
    """Add a 'gpt2' (byte-level BPE) tokenizer: unk 0, bos 1, eos 2."""
    writer.add("tokenizer.ggml.model", STRING, "gpt2")
    writer.add("tokenizer.ggml.pre", STRING, pre)
    writer.add_array("tokenizer.ggml.merges", STRING, merges)
    _add_tokens(writer, tokens, types)


def _add_tokens(writer, tokens, types):
    writer.add_array("tokenizer.ggml.tokens", STRING, tokens)
    writer.add_array("tokenizer.ggml.token_type", I32, types)
    for key, value in (("unknown", 0), ("bos", 1), ("eos", 2)):
        writer.add(f"tokenizer.ggml.{key}_token_id", U32, value)
    writer.add("tokenizer.ggml.add_bos_token", BOOL, True)
    writer.add("tokenizer.ggml.add_eos_token", BOOL, False)
