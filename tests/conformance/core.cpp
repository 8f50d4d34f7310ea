/* SPDX-License-Identifier: MIT */
/// The driver as such: version, QUERY, calls that must be refused.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <sys/ioctl.h>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

struct Record {
	const char *name;
	std::uint32_t type;
	std::uint32_t index;
	std::uint32_t size;
};

std::vector<Record> records(const Device &device, const Buffer &buffer)
{
	return {
		{"device", DRM_NPU_QUERY_DEVICE, 0, sizeof(drm_npu_query_device)},
		{"core", DRM_NPU_QUERY_CORE, 0, sizeof(drm_npu_query_core)},
		{"region", DRM_NPU_QUERY_REGION, 0, sizeof(drm_npu_query_region)},
		{"limits", DRM_NPU_QUERY_LIMITS, 0, sizeof(drm_npu_query_limits)},
		{"context", DRM_NPU_QUERY_CONTEXT, device.context(), sizeof(drm_npu_query_context)},
		{"buffer", DRM_NPU_QUERY_BUFFER, buffer.handle(), sizeof(drm_npu_query_buffer)},
		{"features", DRM_NPU_QUERY_FEATURES, 0, sizeof(drm_npu_query_features)},
		{"data type", DRM_NPU_QUERY_DATA_TYPE, 0, sizeof(drm_npu_query_data_type)},
		{"register", DRM_NPU_QUERY_REGISTER, 0x4010, sizeof(drm_npu_query_register)},
		{"activity", DRM_NPU_QUERY_ACTIVITY, 0, sizeof(drm_npu_query_activity)},
	};
}

drm_npu_query query_of(const Record &record, void *data, std::uint32_t size)
{
	drm_npu_query args{};

	args.type = record.type;
	args.index = record.index;
	args.size = size;
	args.data = reinterpret_cast<std::uintptr_t>(data);
	return args;
}

} // namespace

SUBTEST(core_version)
{
	Device device;
	int major = -1;

	CHECK(driver_name(device.fd(), &major) == "rocket");
	/* As mainline's: its clients take 1 for another contract. */
	CHECK_EQ(major, 0);
}

SUBTEST(core_query_twice)
{
	Device device;
	Buffer buffer(device, 4096);

	for (const Record &record : records(device, buffer)) {
		std::array<std::uint8_t, 256> first{}, second{};
		igt::Note note(record.name);

		first.fill(0x55);
		second.fill(0xaa);
		CHECK_OK(device.query(record.type, record.index, first.data(), record.size));
		CHECK_OK(device.query(record.type, record.index, second.data(), record.size));
		/* The time comes last, and goes on. */
		CHECK(!std::memcmp(first.data(), second.data(),
				   record.type == DRM_NPU_QUERY_ACTIVITY
					   ? offsetof(drm_npu_query_activity, now_ns)
					   : record.size));
		CHECK_EQ(first[record.size], 0x55);
	}
}

SUBTEST(core_query_values)
{
	Device device;
	drm_npu_query_device info = device.info();
	drm_npu_query_limits limits = device.limits();
	drm_npu_query_region region = device.region();

	CHECK(std::memchr(info.name, 0, sizeof(info.name)));
	CHECK(info.name[0]);
	CHECK_EQ(info.isa, DRM_NPU_ISA_RKNN);
	CHECK(info.core_count >= 1);
	CHECK(info.region_count >= 1);
	CHECK(!(info.flags &
		~static_cast<std::uint32_t>(DRM_NPU_DEVICE_VIRTUAL | DRM_NPU_DEVICE_COHERENT)));
	CHECK_EQ(limits.address_bits, 32);
	CHECK_EQ(limits.max_lanes, info.core_count);
	CHECK(limits.max_guilty);
	CHECK_EQ(limits.max_residency != 0, info.region_count > 1);
	CHECK(limits.max_label >= 16);
	CHECK_EQ(region.kind, DRM_NPU_REGION_SYSTEM);
	CHECK_EQ(region.flags, 0);
	CHECK_EQ(region.file_used, 0);
	CHECK(region.used <= region.size);
	for (std::uint32_t i = 0; i < info.core_count; i++) {
		drm_npu_query_core core{};

		core.pad = poison;
		CHECK_OK(device.query(DRM_NPU_QUERY_CORE, i, &core, sizeof(core)));
		CHECK_EQ(core.pad, 0);
		CHECK(core.int8_macs_per_cycle);
		CHECK(core.buffer_bytes);
	}
}

/* A generator needs all of this before it makes a stream. */
SUBTEST(core_query_features)
{
	Device device;
	drm_npu_query_features features = device.features();
	drm_npu_query_core core{};
	bool int8 = false;

	CHECK_OK(device.query(DRM_NPU_QUERY_CORE, 0, &core, sizeof(core)));
	CHECK_EQ(features.generation, 3588);
	CHECK(features.features & DRM_NPU_FEATURE_CONVOLUTION);
	CHECK_EQ(features.buffer_banks * features.buffer_bank_bytes, core.buffer_bytes);
	CHECK_EQ(features.atom_bytes, 16);
	CHECK(features.max_size && features.max_channels && features.max_kernels);
	CHECK(features.max_window && features.max_stride);
	CHECK_EQ(features.command_bytes, 8);
	for (std::uint32_t i = 0; i < features.data_type_count; i++) {
		drm_npu_query_data_type type{};

		CHECK_OK(device.query(DRM_NPU_QUERY_DATA_TYPE, i, &type, sizeof(type)));
		if (type.operand != DRM_NPU_DATA_TYPE_INT8 ||
		    type.result != DRM_NPU_DATA_TYPE_INT32)
			continue;
		int8 = true;
		CHECK_EQ(type.kernel_group, 32);
	}
	CHECK(int8);
}

SUBTEST(core_query_size_zero)
{
	Device device;
	Buffer buffer(device, 4096);

	for (const Record &record : records(device, buffer)) {
		igt::Note note(record.name);
		/* An address that would fault shows that nothing is written. */
		drm_npu_query args = query_of(record, reinterpret_cast<void *>(8), 0);

		CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_QUERY, &args));
		CHECK_EQ(args.size, record.size);
	}
}

SUBTEST(core_query_short)
{
	Device device;
	Buffer buffer(device, 4096);

	for (const Record &record : records(device, buffer)) {
		igt::Note note(record.name);
		std::array<std::uint8_t, 256> whole{}, part{};
		drm_npu_query args = query_of(record, part.data(), 12);

		part.fill(0x55);
		CHECK_OK(device.query(record.type, record.index, whole.data(), record.size));
		CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_QUERY, &args));
		CHECK_EQ(args.size, 12);
		CHECK(!std::memcmp(whole.data(), part.data(), 12));
		for (std::size_t i = 12; i < part.size(); i++)
			CHECK_EQ(part[i], 0x55);
	}
}

SUBTEST(core_query_long)
{
	Device device;
	Buffer buffer(device, 4096);

	for (const Record &record : records(device, buffer)) {
		igt::Note note(record.name);
		std::array<std::uint8_t, 256> data{};
		drm_npu_query args = query_of(record, data.data(), 200);

		data.fill(0x55);
		CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_QUERY, &args));
		CHECK_EQ(args.size, record.size);
		for (std::size_t i = record.size; i < 200; i++)
			CHECK_EQ(data[i], 0);
		CHECK_EQ(data[200], 0x55);
	}
}

SUBTEST(core_query_bad)
{
	Device device;
	Buffer buffer(device, 4096);
	std::uint32_t context = device.context();
	const struct {
		std::uint32_t type, index, pad;
		int error;
	} cases[] = {
		{DRM_NPU_QUERY_ACTIVITY + 1, 0, 0, EINVAL},
		{~0u, 0, 0, EINVAL},
		{DRM_NPU_QUERY_DEVICE, 1, 0, ENOENT},
		{DRM_NPU_QUERY_CORE, device.info().core_count, 0, ENOENT},
		{DRM_NPU_QUERY_CORE, ~0u, 0, ENOENT},
		{DRM_NPU_QUERY_REGION, device.info().region_count, 0, ENOENT},
		{DRM_NPU_QUERY_LIMITS, 1, 0, ENOENT},
		{DRM_NPU_QUERY_CONTEXT, 0, 0, ENOENT},
		{DRM_NPU_QUERY_CONTEXT, context + 1, 0, ENOENT},
		{DRM_NPU_QUERY_CONTEXT, ~0u, 0, ENOENT},
		{DRM_NPU_QUERY_BUFFER, 0, 0, ENOENT},
		{DRM_NPU_QUERY_BUFFER, buffer.handle() + 1, 0, ENOENT},
		{DRM_NPU_QUERY_BUFFER, ~0u, 0, ENOENT},
		{DRM_NPU_QUERY_BUFFER, buffer.handle(), 1, EINVAL},
		{DRM_NPU_QUERY_FEATURES, 1, 0, ENOENT},
		{DRM_NPU_QUERY_DATA_TYPE, device.features().data_type_count, 0, ENOENT},
		{DRM_NPU_QUERY_DATA_TYPE, ~0u, 0, ENOENT},
		{DRM_NPU_QUERY_REGISTER, 0x2000, 0, ENOENT},
		{DRM_NPU_QUERY_REGISTER, ~0u, 0, ENOENT},
		{DRM_NPU_QUERY_ACTIVITY, 1, 0, ENOENT},
		{DRM_NPU_QUERY_DEVICE, 0, 1, EINVAL},
		{DRM_NPU_QUERY_LIMITS, 0, 0x80000000, EINVAL},
	};

	for (const auto &c : cases) {
		igt::Note note("type " + std::to_string(c.type) + ", index " +
			       std::to_string(c.index) + ", pad " + std::to_string(c.pad));
		for (std::uint32_t size : {0u, 64u}) {
			std::array<std::uint8_t, 64> data{};
			drm_npu_query args = query_of({"", c.type, c.index, 0}, data.data(), size);

			args.pad = c.pad;
			CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_QUERY, &args), c.error);
			CHECK_EQ(args.size, size);
			for (std::uint8_t byte : data)
				CHECK_EQ(byte, 0);
		}
	}
}

SUBTEST(core_query_fault)
{
	Device device;
	Buffer buffer(device, 4096);

	for (const Record &record : records(device, buffer)) {
		igt::Note note(record.name);
		drm_npu_query args = query_of(record, reinterpret_cast<void *>(8), record.size);

		CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_QUERY, &args), EFAULT);
		CHECK_EQ(args.size, record.size);
	}
}

SUBTEST(core_argument_fault)
{
	Device device;
	leak::Check leak;

	for (unsigned long request : driver_calls)
		CHECK_ERR(call(device.fd(), request, reinterpret_cast<void *>(8)), EFAULT);
	leak.done();
}

SUBTEST(core_unknown_ioctl)
{
	Device device;
	std::array<std::uint64_t, 32> argument{};

	for (unsigned nr = DRM_COMMAND_BASE; nr < DRM_COMMAND_END; nr++) {
		igt::Note note("number " + std::to_string(nr));

		if (std::ranges::find(driver_calls, nr, [](auto request) {
			    return _IOC_NR(request);
		    }) != std::end(driver_calls))
			continue;
		CHECK_ERR(call(device.fd(), DRM_IOWR(nr, argument), argument.data()), EINVAL);
	}
}

/* isatty() and its like ask every file; the answer is ENOTTY. */
SUBTEST(core_foreign_ioctl)
{
	Device device;
	std::array<std::uint64_t, 32> argument{};

	for (unsigned nr = 0; nr < 0x100; nr++) {
		igt::Note note("number " + std::to_string(nr));
		CHECK_ERR(call(device.fd(), _IOWR('X' + 1, nr, std::uint64_t), argument.data()),
			  ENOTTY);
	}
	CHECK_ERR(call(device.fd(), TCGETS, argument.data()), ENOTTY);
}

SUBTEST(core_short_struct)
{
	Device device;
	std::uint32_t id = device.context();
	std::uint32_t query[4] = {DRM_NPU_QUERY_LIMITS, 0, 0, 0};

	/* Only the size, or only the id: the rest counts as zero. */
	CHECK_OK(call(device.fd(), DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_QUERY, query), query));
	CHECK_EQ(query[2], sizeof(drm_npu_query_limits));
	CHECK_OK(call(device.fd(), DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_DESTROY, id), &id));
	CHECK_ERR(device.destroy_context(id), ENOENT);
	CHECK_ERR(call(device.fd(), DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_JOB_DESTROY, id), &id),
		  ENOENT);

	std::uint64_t size = 5000;
	CHECK_OK(call(device.fd(), DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_BO_CREATE, size), &size));
	CHECK_EQ(size, 8192);
}

SUBTEST(core_long_struct)
{
	Device device;
	struct {
		drm_npu_bo_create known;
		std::uint64_t more[4];
	} args{};

	args.known.size = 1;
	CHECK_OK(call(device.fd(), DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_BO_CREATE, args), &args));
	CHECK(args.known.handle);
	CHECK(args.known.address);
	for (std::uint64_t more : args.more)
		CHECK_EQ(more, 0);
	CHECK_OK(close_handle(device.fd(), args.known.handle));
}

SUBTEST(core_refused)
{
	Device device;
	Buffer buffer(device, 4096);
	drm_unique unique{};
	drm_auth magic{};
	drm_gem_flink flink{};
	drm_gem_open open{};

	magic.magic = poison;
	flink.handle = buffer.handle();
	flink.name = poison;
	open.name = 1;
	open.handle = poison;
	CHECK_ERR(call(device.fd(), DRM_IOCTL_GET_UNIQUE, &unique), EACCES);
	CHECK_ERR(call(device.fd(), DRM_IOCTL_GET_MAGIC, &magic), EACCES);
	CHECK_ERR(call(device.fd(), DRM_IOCTL_GEM_FLINK, &flink), EACCES);
	CHECK_ERR(call(device.fd(), DRM_IOCTL_GEM_OPEN, &open), EACCES);
	CHECK_EQ(magic.magic, poison);
	CHECK_EQ(flink.name, poison);
	CHECK_EQ(open.handle, poison);
}

/* Whatever the DRM core offers: it may refuse, but must not crash. */
SUBTEST(core_sweep)
{
	leak::Check leak;
	{
		Device device;
		std::array<std::uint64_t, 64> argument{};

		for (unsigned nr = 0; nr < 0x100; nr++) {
			if (nr >= DRM_COMMAND_BASE && nr < DRM_COMMAND_END)
				continue;
			for (unsigned size : {0u, 4u, 8u, 16u, 64u, 512u}) {
				argument.fill(0);
				call(device.fd(), _IOC(_IOC_READ | _IOC_WRITE, 'd', nr, size),
				     argument.data());
			}
		}
		check_works(device);
	}
	leak.done();
}
