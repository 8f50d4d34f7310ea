/* SPDX-License-Identifier: MIT */
/*
 * Merges neighbouring parts of a text in the order of their rank, as tokenizers do.
 */
#pragma once

#include <queue>
#include <string_view>
#include <vector>

namespace npu::llm
{

/// Length of the UTF-8 sequence at the start of @p text; 1 if it is invalid.
/// \pre text is not empty
inline std::size_t sequence_length(std::string_view text)
{
	const auto lead = static_cast<unsigned char>(text.front());
	const std::size_t most = lead < 0xc0 || lead >= 0xf8 ? 1
				 : lead < 0xe0               ? 2
				 : lead < 0xf0               ? 3
							     : 4;
	std::size_t length = 1;

	while (length < most && length < text.size() &&
	       (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80)
		length++;
	return length;
}

/// Starts with the characters of a text, and merges neighbouring parts.
class Merger
{
public:
	explicit Merger(std::string_view text) : text_(text)
	{
		for (std::size_t at = 0; at < text.size();) {
			const int index = static_cast<int>(parts_.size());

			parts_.push_back(
				{at, sequence_length(text.substr(at)), index - 1, index + 1});
			at += parts_.back().length;
		}
		if (!parts_.empty())
			parts_.back().next = -1;
	}

	/// Merges as long as @p rank(left, right, rank) returns true for a pair. It sets the pair's
	/// rank: the highest rank is merged first, the leftmost pair if ranks are equal.
	/// \return the parts that are left
	template <typename Rank>
	std::vector<std::string_view> run(const Rank &rank)
	{
		const auto consider = [&](int left, int right) {
			if (left < 0 || right < 0)
				return;
			double value = 0;
			if (rank(text(left), text(right), value))
				pairs_.push({value, left, right,
					     part(left).length + part(right).length});
		};

		for (int i = 0; i + 1 < static_cast<int>(parts_.size()); i++)
			consider(i, i + 1);
		while (!pairs_.empty()) {
			const Pair pair = pairs_.top();
			Part &left = part(pair.left);
			Part &right = part(pair.right);

			pairs_.pop();
			/* Stale: one of the parts was merged with another one. */
			if (!left.length || !right.length ||
			    left.length + right.length != pair.length)
				continue;
			left.length = pair.length;
			right.length = 0;
			left.next = right.next;
			if (right.next >= 0)
				part(right.next).previous = pair.left;
			consider(left.previous, pair.left);
			consider(pair.left, left.next);
		}

		std::vector<std::string_view> left;
		for (const Part &one : parts_)
			if (one.length)
				left.push_back(text_.substr(one.begin, one.length));
		return left;
	}

private:
	/// Parts that were merged into their left neighbour have length 0.
	struct Part {
		std::size_t begin;
		std::size_t length;
		int previous;
		int next;
	};

	struct Pair {
		double rank;
		int left;
		int right;
		std::size_t length;

		/// Whether @p other goes first.
		bool operator<(const Pair &other) const
		{
			return rank != other.rank ? rank < other.rank : left > other.left;
		}
	};

	Part &part(int i) { return parts_[static_cast<std::size_t>(i)]; }
	std::string_view text(int i) { return text_.substr(part(i).begin, part(i).length); }

	std::string_view text_;
	std::vector<Part> parts_;
	std::priority_queue<Pair> pairs_;
};

} // namespace npu::llm
