/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace npu::trace
{

namespace
{

/// The fields of an event: "KEY=VALUE" separated by spaces, with the label at the end.
class Fields
{
public:
	explicit Fields(std::string_view text) : text_(text)
	{
		constexpr std::string_view label = " label=";
		const auto at = text.find(label);

		if (at == std::string_view::npos)
			return;
		label_ = text.substr(at + label.size());
		text_ = text.substr(0, at);
	}

	/// Sets @p value to the field @p key.
	template <typename Number>
	void take(std::string_view key, Number &value)
	{
		const auto found = find(key);

		if (!found ||
		    std::from_chars(found->data(), found->data() + found->size(), value).ec !=
			    std::errc())
			complete_ = false;
	}
	bool is(std::string_view key, std::string_view value) const
	{
		const auto found = find(key);

		return found && *found == value;
	}
	std::string label() const { return std::string(label_); }
	/// Whether all fields passed to take() were found.
	bool complete() const { return complete_; }

private:
	std::optional<std::string_view> find(std::string_view key) const
	{
		for (std::size_t at = text_.find(key); at != std::string_view::npos;
		     at = text_.find(key, at + 1)) {
			const std::size_t value = at + key.size();

			if ((at == 0 || text_[at - 1] == ' ') && value < text_.size() &&
			    text_[value] == '=')
				return text_.substr(value + 1, text_.find(' ', value) - value - 1);
		}
		return {};
	}

	std::string_view text_;
	std::string_view label_;
	bool complete_ = true;
};

std::optional<Slice> slice_of(Fields fields)
{
	Slice slice;

	fields.take("core", slice.core);
	fields.take("client", slice.client);
	fields.take("context", slice.context);
	fields.take("seqno", slice.seqno);
	fields.take("lane", slice.lane);
	fields.take("first", slice.first);
	fields.take("tasks", slice.tasks);
	fields.take("started", slice.started_ns);
	fields.take("ended", slice.ended_ns);
	fields.take("device_ns", slice.device_ns);
	fields.take("read", slice.read_bytes);
	fields.take("written", slice.written_bytes);
	fields.take("sram", slice.sram_bytes);
	fields.take("start_ns", slice.start_ns);
	fields.take("memory_ns", slice.memory_ns);
	fields.take("sram_ns", slice.sram_ns);
	fields.take("error", slice.error);
	slice.label = fields.label();
	/* A slice that failed before its start did not occupy a core. */
	if (!fields.complete() || !slice.started_ns)
		return {};
	return slice;
}

std::optional<Job> job_of(Fields fields)
{
	Job job;

	fields.take("pid", job.pid);
	fields.take("client", job.client);
	fields.take("context", job.context);
	fields.take("seqno", job.seqno);
	fields.take("queued", job.queued_ns);
	fields.take("started", job.started_ns);
	fields.take("ended", job.ended_ns);
	fields.take("device_ns", job.device_ns);
	fields.take("macs", job.macs);
	fields.take("tasks", job.tasks);
	fields.take("error", job.error);
	job.label = fields.label();
	if (!fields.complete())
		return {};
	return job;
}

std::optional<Move> move_of(Fields fields)
{
	Move move;

	fields.take("buffer", move.buffer);
	fields.take("bytes", move.bytes);
	fields.take("started", move.started_ns);
	fields.take("ended", move.ended_ns);
	move.to_chip = fields.is("to", "chip");
	if (!fields.complete())
		return {};
	return move;
}

/// The fields of @p line after @p mark and the device's name.
std::optional<Fields> after(std::string_view line, std::string_view mark)
{
	const auto at = line.find(mark);

	/* A label may contain the mark of an event. */
	if (at == std::string_view::npos || at > line.find(" label="))
		return {};
	line.remove_prefix(at + mark.size());
	const auto fields = line.find(": ");
	if (fields == std::string_view::npos)
		return {};
	return Fields(line.substr(fields + 2));
}

template <typename Event>
void append(std::vector<Event> &events, std::optional<Event> event)
{
	if (event)
		events.push_back(std::move(*event));
}

} // namespace

void Events::add(std::string_view line)
{
	constexpr std::string_view lost_mark = " [LOST ";

	if (const auto slice = after(line, " npu_slice: ")) {
		append(slices, slice_of(*slice));
	} else if (const auto job = after(line, " npu_job: ")) {
		append(jobs, job_of(*job));
	} else if (const auto move = after(line, " npu_move: ")) {
		append(moves, move_of(*move));
	} else if (const auto at = line.find(lost_mark); at != std::string_view::npos) {
		const char *const begin = line.data() + at + lost_mark.size();
		std::uint64_t count = 0;

		if (std::from_chars(begin, line.data() + line.size(), count).ec == std::errc())
			lost += count;
	}
}

} // namespace npu::trace
