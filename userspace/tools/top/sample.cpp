/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include <npu/raw.h>

namespace npu::top
{

namespace
{

namespace fs = std::filesystem;

/// As npu::query(), with the remedy where the device is gone or its driver is older.
template <typename Record>
Result<Record> query(Driver &driver, drm_npu_query_type type, std::uint32_t index)
{
	auto record = npu::query<Record>(driver, type, index);

	if (record || (record.error().code != ENODEV && record.error().code != EINVAL))
		return record;
	if (record.error().code == ENODEV)
		return fail(ENODEV, "the device has gone away; start again when it is back");
	return fail(EINVAL, "the driver does not tell what the device does; "
			    "load one of the same version as this program");
}

/// Appends records 0 to @p count - 1 to @p records.
template <typename Record>
Result<void> query_all(Driver &driver, drm_npu_query_type type, std::uint32_t count,
		       std::vector<Record> &records)
{
	for (std::uint32_t i = 0; i < count; i++) {
		auto record = top::query<Record>(driver, type, i);

		if (!record)
			return forward(record);
		records.push_back(*record);
	}
	return {};
}

std::optional<std::int64_t> read_number(const fs::path &path)
{
	std::ifstream file(path);
	std::int64_t number = 0;

	if (!(file >> number))
		return {};
	return number;
}

/// The first entry of @p folder, by name, that satisfies @p is_it; empty if there is none.
template <typename Predicate>
fs::path find_entry(const fs::path &folder, const Predicate &is_it)
{
	std::vector<fs::path> found;
	std::error_code error;

	for (fs::directory_iterator it(folder, error), end; !error && it != end;
	     it.increment(error))
		if (is_it(it->path()))
			found.push_back(it->path());
	const auto first = std::ranges::min_element(found);
	return first == found.end() ? fs::path() : *first;
}

bool names_npu(std::string_view name)
{
	return name.find("npu") != std::string_view::npos;
}

/// Reads the current clock from devfreq; without devfreq the clock is fixed.
void read_clock(const fs::path &sys, Sample &sample)
{
	const fs::path devfreq = find_entry(sys / "class/devfreq", [](const fs::path &path) {
		return names_npu(path.filename().string());
	});

	if (!sample.cores.empty())
		sample.clock_hz = sample.max_clock_hz = sample.cores.front().clock_hz;
	if (devfreq.empty())
		return;
	sample.clock_hz = static_cast<std::uint64_t>(
		read_number(devfreq / "cur_freq").value_or(static_cast<int64_t>(sample.clock_hz)));
	sample.max_clock_hz = static_cast<std::uint64_t>(
		read_number(devfreq / "max_freq").value_or(static_cast<int64_t>(sample.clock_hz)));
}

/// The temperature of the NPU's thermal zone.
std::optional<std::int64_t> read_temperature(const fs::path &sys)
{
	const fs::path zone = find_entry(sys / "class/thermal", [](const fs::path &path) {
		std::ifstream file(path / "type");
		std::string type;

		return file >> type && names_npu(type);
	});

	return zone.empty() ? std::nullopt : read_number(zone / "temp");
}

} // namespace

std::string region_name(std::size_t index)
{
	if (index == 0)
		return "memory";
	return index == 1 ? "sram" : std::string("sram") + std::to_string(index);
}

Sampler::Sampler(std::shared_ptr<Driver> driver, std::string path, Folders folders, pid_t self)
	: driver_(std::move(driver)), path_(std::move(path)), folders_(std::move(folders)),
	  self_(self)
{
}

Result<Sample> Sampler::take() const
{
	Sample sample;
	auto info = top::query<drm_npu_query_device>(*driver_, DRM_NPU_QUERY_DEVICE, 0);

	if (!info)
		return forward(info);
	sample.name.assign(std::begin(info->name), std::ranges::find(info->name, '\0'));
	sample.is_virtual = info->flags & DRM_NPU_DEVICE_VIRTUAL;
	if (auto done = query_all(*driver_, DRM_NPU_QUERY_CORE, info->core_count, sample.cores);
	    !done)
		return forward(done);
	if (auto done =
		    query_all(*driver_, DRM_NPU_QUERY_REGION, info->region_count, sample.regions);
	    !done)
		return forward(done);
	auto activity = top::query<drm_npu_query_activity>(*driver_, DRM_NPU_QUERY_ACTIVITY, 0);
	if (!activity)
		return forward(activity);
	sample.activity = *activity;
	read_clock(folders_.sys, sample);
	sample.temperature = read_temperature(folders_.sys);
	sample.processes = find_processes(folders_.proc, path_, self_);

	/* Count the file of this program, which find_processes() skips. */
	std::uint64_t seen = 1;
	for (const Process &process : sample.processes)
		seen += process.clients.size();
	sample.hidden =
		sample.activity.files - std::min<std::uint64_t>(sample.activity.files, seen);
	return sample;
}

} // namespace npu::top
