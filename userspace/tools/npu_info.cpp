/* SPDX-License-Identifier: MIT */
/*
 * npu-info: describes the device.
 */
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <npu/device.h>

#include "doctor.h"
#include "tool.h"

namespace
{

using nlohmann::ordered_json;

const char *kind(const npu::RegionInfo &region)
{
	switch (region.kind) {
	case npu::RegionKind::system:
		return "system";
	case npu::RegionKind::sram:
		return "sram";
	default:
		return "unknown";
	}
}

std::vector<std::string> features(const npu::Device &device)
{
	constexpr std::pair<npu::Feature, const char *> known[] = {
		{npu::Feature::convolution, "convolution"},
		{npu::Feature::depthwise, "depthwise"},
		{npu::Feature::deconvolution, "deconvolution"},
		{npu::Feature::image, "image"},
		{npu::Feature::elementwise, "elementwise"},
		{npu::Feature::standalone, "standalone"},
		{npu::Feature::table, "table"},
		{npu::Feature::pooling, "pooling"},
	};
	std::vector<std::string> names;

	for (const auto &[bit, name] : known)
		if (device.features().has(bit))
			names.emplace_back(name);
	return names;
}

const char *name(npu::DataType type)
{
	switch (type) {
	case npu::DataType::int4:
		return "int4";
	case npu::DataType::int8:
		return "int8";
	case npu::DataType::int16:
		return "int16";
	case npu::DataType::int32:
		return "int32";
	case npu::DataType::fp16:
		return "fp16";
	case npu::DataType::bf16:
		return "bf16";
	case npu::DataType::tf32:
		return "tf32";
	case npu::DataType::fp32:
		return "fp32";
	default:
		return "unknown";
	}
}

ordered_json describe_features(const npu::Device &device)
{
	const npu::Features &record = device.features();
	ordered_json json{{"generation", record.generation},
			  {"features", features(device)},
			  {"buffer_banks", record.buffer_banks},
			  {"buffer_bank_bytes", record.buffer_bank_bytes},
			  {"atom_bytes", record.atom_bytes},
			  {"channel_slice", record.channel_slice},
			  {"max_size", record.max_size},
			  {"max_channels", record.max_channels},
			  {"max_kernels", record.max_kernels},
			  {"max_kernel_bytes", record.max_kernel_bytes},
			  {"max_window", record.max_window},
			  {"max_stride", record.max_stride},
			  {"max_dilation", record.max_dilation},
			  {"max_padding", record.max_padding}};

	for (const npu::DataTypes &type : device.data_types())
		json["data_types"].push_back({{"operand", name(type.operand)},
					      {"result", name(type.result)},
					      {"kernel_group", type.kernel_group},
					      {"depthwise_group", type.depthwise_group}});
	return json;
}

ordered_json describe(const npu::Device &device, const std::vector<npu::RegionInfo> &regions)
{
	const npu::Limits &limits = device.limits();
	ordered_json json;

	json["name"] = device.name();
	json["virtual"] = device.is_virtual();
	json["isa"] = device.info().isa == npu::Isa::rknn ? "rknn" : "unknown";
	json["hw_version"] = device.info().hw_version;
	for (const npu::CoreInfo &core : device.cores())
		json["cores"].push_back({{"clock_hz", core.clock_hz},
					 {"int8_macs_per_cycle", core.int8_macs_per_cycle},
					 {"fp16_macs_per_cycle", core.fp16_macs_per_cycle},
					 {"buffer_bytes", core.buffer_bytes},
					 {"bandwidth", core.bandwidth}});
	for (const npu::RegionInfo &region : regions) {
		ordered_json &entry =
			json["regions"].emplace_back(ordered_json{{"kind", kind(region)},
								  {"size", region.size},
								  {"used", region.used},
								  {"file_used", region.file_used},
								  {"bandwidth", region.bandwidth}});
		if (region.kind == npu::RegionKind::system)
			continue;
		entry["largest_hole"] = region.largest_hole;
		entry["pinned"] = region.pinned;
		entry["file_pinned"] = region.file_pinned;
		entry["pin_limit"] = region.pin_limit;
		entry["share"] = region.share;
		entry["evictions"] = region.evictions;
		entry["moves"] = region.moves;
		entry["moved_bytes"] = region.moved_bytes;
	}
	json["limits"] = {{"address_bits", limits.address_bits},
			  {"max_contexts", limits.max_contexts},
			  {"max_jobs", limits.max_jobs},
			  {"max_lanes", limits.max_lanes},
			  {"max_lane_tasks", limits.max_lane_tasks},
			  {"max_task_commands", limits.max_task_commands},
			  {"max_submit_jobs", limits.max_submit_jobs},
			  {"max_submit_syncs", limits.max_submit_syncs},
			  {"max_queued", limits.max_queued},
			  {"max_guilty", limits.max_guilty},
			  {"max_job_bytes", limits.max_job_bytes},
			  {"max_buffer_size", limits.max_buffer_size}};
	json["features"] = describe_features(device);
	return json;
}

double giga(std::uint64_t value)
{
	return static_cast<double>(value) / 1e9;
}

void print_features(const npu::Device &device)
{
	const npu::Features &record = device.features();

	std::cout << "features generation " << record.generation;
	for (const std::string &feature : features(device))
		std::cout << ", " << feature;
	std::cout << "\ntypes   ";
	for (const npu::DataTypes &type : device.data_types())
		std::cout << ' ' << name(type.operand) << '-' << name(type.result);
	std::cout << "\nsizes    " << record.max_channels << " channels, " << record.max_kernels
		  << " kernels of " << record.max_window << " x " << record.max_window
		  << " taps and " << record.max_kernel_bytes << " bytes, " << record.max_size
		  << " x " << record.max_size << " pixels, " << record.buffer_banks << " banks of "
		  << record.buffer_bank_bytes / 1024 << " KiB\n";
}

void print(const npu::Device &device, const std::vector<npu::RegionInfo> &regions)
{
	std::cout << "device   " << device.name()
		  << (device.is_virtual() ? ", virtual: a model computes, not silicon" : "")
		  << '\n';
	for (std::size_t i = 0; i < device.cores().size(); i++) {
		const npu::CoreInfo &core = device.cores()[i];
		std::cout << "core " << i << "   " << giga(core.clock_hz) << " GHz, "
			  << core.int8_macs_per_cycle << " int8 or " << core.fp16_macs_per_cycle
			  << " fp16 multiply-accumulates a cycle, " << core.buffer_bytes / 1024
			  << " KiB buffer, " << giga(core.bandwidth) << " GB/s\n";
	}
	for (std::size_t i = 0; i < regions.size(); i++) {
		const npu::RegionInfo &region = regions[i];
		const bool system = region.kind == npu::RegionKind::system;
		std::cout << "region " << i << " "
			  << (system ? "system memory, " : "on-chip memory, ")
			  << region.size / (system ? 1048576 : 1024)
			  << (system ? " MiB, " : " KiB, ") << region.used << " bytes used, "
			  << giga(region.bandwidth) << " GB/s";
		if (!system)
			std::cout << ", " << region.pinned << " bytes pinned, largest hole "
				  << region.largest_hole << " bytes, " << region.share
				  << " bytes a file, " << region.evictions << " evictions, "
				  << region.moves << " moves of " << region.moved_bytes << " bytes";
		std::cout << '\n';
	}
	const npu::Limits &limits = device.limits();
	std::cout << "limits   " << limits.max_contexts << " contexts, " << limits.max_jobs
		  << " jobs, " << limits.max_lanes << " lanes of " << limits.max_lane_tasks
		  << " tasks of " << limits.max_task_commands << " commands, "
		  << limits.max_submit_jobs << " jobs a submit, " << limits.max_queued
		  << " queued a context, banned after " << limits.max_guilty
		  << " that hang or fault\n";
	print_features(device);
}

/// Prints what prevents the NPU of an RK3588 from working, and the remedy.
/// \return the exit code
int examine(bool json)
{
	const std::vector<npu::doctor::Finding> findings =
		npu::doctor::diagnose(npu::doctor::this_system());
	ordered_json list = ordered_json::array();
	bool fatal = false;

	for (const npu::doctor::Finding &finding : findings) {
		fatal |= finding.fatal;
		if (json)
			list.push_back({{"id", finding.id},
					{"fatal", finding.fatal},
					{"problem", finding.problem},
					{"remedy", finding.remedy}});
		else
			std::cout << (finding.fatal ? "problem: " : "hint: ") << finding.problem
				  << "\n  to do: " << finding.remedy << '\n';
	}
	if (json)
		std::cout << list.dump(2) << '\n';
	else if (findings.empty())
		std::cout << "nothing keeps the NPU from working\n";
	return fatal ? npu::tool::exit_device : 0;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Shows what an NPU is: cores, memory regions, limits.", "npu-info");
	std::string path;
	bool json = false, doctor = false;

	app.add_option("--device", path, "device file [the first NPU found]");
	app.add_flag("--json", json, "print JSON");
	app.add_flag("--doctor", doctor,
		     "tell what keeps an RK3588's NPU from working, and what to do");
	app.footer("Example: npu-info --json\n\n"
		   "Exit status: 0 done, 1 it failed, 2 wrong usage, 3 no device or no access.");

	return npu::tool::run(app, argc, argv, [&] {
		if (doctor)
			return examine(json);
		auto device = npu::Device::open(path);
		if (!device)
			return npu::tool::report("npu-info", device.error());
		auto regions = device->regions();
		if (!regions)
			return npu::tool::report("npu-info", regions.error());
		if (json)
			std::cout << describe(*device, *regions).dump(2) << '\n';
		else
			print(*device, *regions);
		return 0;
	});
}
