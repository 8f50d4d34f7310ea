/* SPDX-License-Identifier: MIT */
/*
 * The interface of the backend to ggml 0.27. The device computes whole graphs in memory that the
 * CPU also uses, so that no tensor is copied.
 */
#include "abi_0_27.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <unistd.h>

#include "runner.h"
#include "system_memory.h"

namespace npu::ggml
{

namespace
{

constexpr std::size_t alignment = 64;

/// Per-process state.
struct State {
	std::shared_ptr<Weights> weights;
	std::string description;
	/// The process that opened the device; its children must not use it.
	pid_t process = getpid();
};

State &state()
{
	/* Never destroyed: ggml uses backends until the process exits. */
	static State &only = *new State;
	return only;
}

/// ggml's CPU device, which is registered before any backend is used.
ggml_backend_dev_t cpu_device()
{
	static ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
	return device;
}

/// Function @p name of ggml's CPU backend.
template <typename Function>
Function cpu_function(const char *name)
{
	ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(cpu_device());

	return reinterpret_cast<Function>(ggml_backend_reg_get_proc_address(reg, name));
}

/// Buffer type, backend and registry have the same name.
template <typename Handle>
const char *name_of(Handle)
{
	return "NPU";
}

Runner &runner(ggml_backend_t backend)
{
	return *static_cast<Runner *>(backend->context);
}

/* Buffers: memory of the process, or of a file that ggml has mapped. */

std::byte *data_of(const ggml_tensor *tensor)
{
	return static_cast<std::byte *>(tensor->data);
}

/// Invalidates packed weights whose source bytes change or are freed.
void changed(const void *data, std::size_t size)
{
	if (state().process == getpid())
		state().weights->forget(data, size);
}

void buffer_free(ggml_backend_buffer_t buffer)
{
	changed(buffer->context, buffer->size);
	std::free(buffer->context);
}

void mapped_free(ggml_backend_buffer_t buffer)
{
	changed(buffer->context, buffer->size);
}

void *buffer_base(ggml_backend_buffer_t buffer)
{
	return buffer->context;
}

/// Refuses llama.cpp's cache of experts: it is filled only where devices have their own memory.
ggml_status buffer_init(ggml_backend_buffer_t, ggml_tensor *tensor)
{
	if (!std::string_view(tensor->name).starts_with("moe_cache."))
		return GGML_STATUS_SUCCESS;
	say("--moe-cache-mib is for devices with memory of their own; leave it out");
	return GGML_STATUS_FAILED;
}

void buffer_memset(ggml_backend_buffer_t, ggml_tensor *tensor, std::uint8_t value,
		   std::size_t offset, std::size_t size)
{
	changed(data_of(tensor) + offset, size);
	std::memset(data_of(tensor) + offset, value, size);
}

void buffer_set(ggml_backend_buffer_t, ggml_tensor *tensor, const void *data, std::size_t offset,
		std::size_t size)
{
	changed(data_of(tensor) + offset, size);
	std::memcpy(data_of(tensor) + offset, data, size);
}

void buffer_get(ggml_backend_buffer_t, const ggml_tensor *tensor, void *data, std::size_t offset,
		std::size_t size)
{
	std::memcpy(data, data_of(tensor) + offset, size);
}

bool buffer_copy(ggml_backend_buffer_t, const ggml_tensor *from, ggml_tensor *to)
{
	if (!ggml_backend_buffer_is_host(from->buffer))
		return false;
	changed(to->data, ggml_nbytes(to));
	std::memcpy(to->data, from->data, ggml_nbytes(from));
	return true;
}

void buffer_clear(ggml_backend_buffer_t buffer, std::uint8_t value)
{
	changed(buffer->context, buffer->size);
	std::memset(buffer->context, value, buffer->size);
}

/// A buffer of @p size bytes at @p base, which @p release frees; nullptr if memory is exhausted.
ggml_backend_buffer_t make_buffer(ggml_backend_buffer_type_t type, void *base, std::size_t size,
				  void (*release)(ggml_backend_buffer_t))
{
	/* ggml frees it with delete. */
	auto *buffer = new (std::nothrow) ggml_backend_buffer{};

	if (!buffer)
		return nullptr;
	buffer->calls.free_buffer = release;
	buffer->calls.get_base = buffer_base;
	buffer->calls.init_tensor = buffer_init;
	buffer->calls.memset_tensor = buffer_memset;
	buffer->calls.set_tensor = buffer_set;
	buffer->calls.get_tensor = buffer_get;
	buffer->calls.cpy_tensor = buffer_copy;
	buffer->calls.clear = buffer_clear;
	buffer->type = type;
	buffer->context = base;
	buffer->size = size;
	buffer->usage = GGML_BACKEND_BUFFER_USAGE_ANY;
	return buffer;
}

ggml_backend_buffer_t type_alloc(ggml_backend_buffer_type_t type, std::size_t size)
{
	const std::size_t whole = (size + alignment) / alignment * alignment;
	void *memory = std::aligned_alloc(alignment, whole);

	auto *buffer = memory ? make_buffer(type, memory, size, buffer_free) : nullptr;

	if (!buffer) {
		std::fprintf(stderr, "npu: no memory for a buffer of %zu bytes\n", size);
		std::free(memory);
	}
	return buffer;
}

std::size_t type_alignment(ggml_backend_buffer_type_t)
{
	return alignment;
}

bool type_is_host(ggml_backend_buffer_type_t)
{
	return true;
}

ggml_backend_buffer_type_t buffer_type(ggml_backend_dev_t device)
{
	static ggml_backend_buffer_type type{name_of, type_alloc, nullptr, type_alignment,
					     nullptr, nullptr,    nullptr, type_is_host,
					     device,  nullptr};
	return &type;
}

void backend_free(ggml_backend_t backend)
{
	delete &runner(backend);
	delete backend;
}

ggml_status backend_compute(ggml_backend_t backend, ggml_cgraph *graph)
{
	return guarded(GGML_STATUS_ALLOC_FAILED, [&] { return runner(backend).compute(graph); });
}

void set_n_threads(ggml_backend_t backend, int threads)
{
	runner(backend).set_threads(threads);
	if (const auto set =
		    cpu_function<ggml_backend_set_n_threads_t>("ggml_backend_set_n_threads"))
		set(runner(backend).cpu(), threads);
}

void set_abort_callback(ggml_backend_t backend, ggml_abort_callback callback, void *data)
{
	if (const auto set = cpu_function<ggml_backend_set_abort_callback_t>(
		    "ggml_backend_set_abort_callback"))
		set(runner(backend).cpu(), callback, data);
}

const char *device_name(ggml_backend_dev_t)
{
	return "NPU0";
}

const char *device_description(ggml_backend_dev_t)
{
	return state().description.c_str();
}

/// Weights and activations are in the memory of the system.
void device_memory(ggml_backend_dev_t, std::size_t *free, std::size_t *total)
{
	const SystemMemory memory = system_memory();

	*free = memory.available;
	*total = memory.total;
}

/// llama.cpp puts all layers on a device of this type, unless told otherwise.
enum ggml_backend_dev_type device_type(ggml_backend_dev_t)
{
	return GGML_BACKEND_DEVICE_TYPE_GPU;
}

void device_props(ggml_backend_dev_t device, ggml_backend_dev_props *props)
{
	*props = {};
	props->name = device_name(device);
	props->description = device_description(device);
	device_memory(device, &props->memory_free, &props->memory_total);
	props->type = device_type(device);
	props->caps.buffer_from_host_ptr = true;
	props->caps.mmap_support = true;
}

ggml_backend_t device_init(ggml_backend_dev_t device, const char *)
{
	static ggml_guid guid{0x6e, 0x70, 0x75, 0x2d, 0x72, 0x6b, 0x6e, 0x6e,
			      0x2d, 0x67, 0x67, 0x6d, 0x6c, 0x00, 0x00, 0x01};
	ggml_backend_t cpu = ggml_backend_dev_init(cpu_device(), nullptr);

	if (!cpu) {
		say("ggml's CPU backend cannot be had, which computes all but products");
		return nullptr;
	}
	ggml_backend_t made = guarded<ggml_backend_t>(nullptr, [&] {
		auto backend = std::make_unique<ggml_backend>();
		backend->guid = &guid;
		backend->get_name = name_of;
		backend->free = backend_free;
		backend->graph_compute = backend_compute;
		backend->device = device;
		backend->context = new Runner(state().weights, cpu);
		return backend.release();
	});
	if (!made)
		ggml_backend_free(cpu);
	return made;
}

ggml_backend_buffer_t device_buffer(ggml_backend_dev_t device, void *memory, std::size_t size,
				    std::size_t)
{
	return make_buffer(buffer_type(device), memory, size, mapped_free);
}

/// Accepts all operations of the CPU backend, which computes all but the NPU's products.
bool device_supports_op(ggml_backend_dev_t, const ggml_tensor *op)
{
	return ggml_backend_dev_supports_op(cpu_device(), op);
}

bool device_supports_type(ggml_backend_dev_t, ggml_backend_buffer_type_t type)
{
	return ggml_backend_buft_is_host(type);
}

ggml_backend_dev_t the_device(ggml_backend_reg_t reg)
{
	static ggml_backend_device device{
		.get_name = device_name,
		.get_description = device_description,
		.get_memory = device_memory,
		.get_type = device_type,
		.get_props = device_props,
		.init_backend = device_init,
		.get_buffer_type = buffer_type,
		.buffer_from_host_ptr = device_buffer,
		.supports_op = device_supports_op,
		.supports_buft = device_supports_type,
		.reg = reg,
	};
	return &device;
}

std::size_t reg_devices(ggml_backend_reg_t)
{
	return state().weights ? 1 : 0;
}

ggml_backend_dev_t reg_device(ggml_backend_reg_t reg, std::size_t)
{
	return the_device(reg);
}

void *reg_function(ggml_backend_reg_t, const char *name)
{
	if (std::string_view(name) == "ggml_backend_set_n_threads")
		return reinterpret_cast<void *>(set_n_threads);
	if (std::string_view(name) == "ggml_backend_set_abort_callback")
		return reinterpret_cast<void *>(set_abort_callback);
	return nullptr;
}

/// Open the device as the environment says.
Result<void> open_device()
{
	auto options = Options::from_environment();
	if (!options)
		return forward(options);
	auto weights = Weights::create(*options);
	if (!weights)
		return forward(weights);
	state().description = (*weights)->device(0).name();
	state().weights = std::move(*weights);
	return {};
}

} // namespace

} // namespace npu::ggml

/// Entry point for ggml's loader. Returns the backend, or nullptr after printing the reason.
extern "C" __attribute__((visibility("default"))) ggml_backend_reg_t ggml_backend_init()
{
	using namespace npu::ggml;
	static ggml_backend_reg reg{npu_ggml_api_version, name_of,      reg_devices,
				    reg_device,           reg_function, nullptr};

	if (!std::string_view(ggml_version()).starts_with(npu_ggml_version)) {
		say(std::string("this libggml-npu.so is for ggml ") + npu_ggml_version +
		    "x, not for " + ggml_version() + "; install the one for it");
		return nullptr;
	}
	return guarded<ggml_backend_reg_t>(nullptr, [] {
		if (auto opened = open_device(); !opened)
			say(opened.error().message + "; the CPU computes alone");
		return &reg;
	});
}
