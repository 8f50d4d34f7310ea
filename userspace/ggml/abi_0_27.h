/* SPDX-License-Identifier: MIT */
/*
 * The structs of a backend of ggml 0.27, which libggml-dev does not declare. The order of members
 * was derived from the code of libggml-base.so.0.27.0, whose public functions load each of them
 * from a fixed offset. Names are those of ggml's functions.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include <ggml-backend.h>
#include <ggml.h>

/// The API version that ggml's loader requires.
inline constexpr int npu_ggml_api_version = 3;
/// Prefix of the ggml_version() that the layouts below match.
inline constexpr char npu_ggml_version[] = "0.27.";

struct ggml_backend_buffer_type {
	const char *(*get_name)(ggml_backend_buffer_type_t);
	ggml_backend_buffer_t (*alloc_buffer)(ggml_backend_buffer_type_t, std::size_t);
	ggml_backend_buffer_t (*alloc_buffer_n)(ggml_backend_buffer_type_t, ggml_tensor **, int);
	std::size_t (*get_alignment)(ggml_backend_buffer_type_t);
	std::size_t (*get_max_size)(ggml_backend_buffer_type_t);
	std::size_t (*get_alloc_size)(ggml_backend_buffer_type_t, const ggml_tensor *);
	std::size_t (*get_alloc_size_n)(ggml_backend_buffer_type_t, ggml_tensor **, int);
	bool (*is_host)(ggml_backend_buffer_type_t);
	ggml_backend_dev_t device;
	void *context;
};

struct npu_ggml_buffer_calls {
	void (*free_buffer)(ggml_backend_buffer_t);
	void *(*get_base)(ggml_backend_buffer_t);
	ggml_status (*init_tensor)(ggml_backend_buffer_t, ggml_tensor *);
	void (*memset_tensor)(ggml_backend_buffer_t, ggml_tensor *, std::uint8_t, std::size_t,
			      std::size_t);
	void (*set_tensor)(ggml_backend_buffer_t, ggml_tensor *, const void *, std::size_t,
			   std::size_t);
	void (*get_tensor)(ggml_backend_buffer_t, const ggml_tensor *, void *, std::size_t,
			   std::size_t);
	void *set_tensor_2d;
	void *get_tensor_2d;
	bool (*cpy_tensor)(ggml_backend_buffer_t, const ggml_tensor *, ggml_tensor *);
	void (*clear)(ggml_backend_buffer_t, std::uint8_t);
	void (*reset)(ggml_backend_buffer_t);
};

struct ggml_backend_buffer {
	npu_ggml_buffer_calls calls;
	ggml_backend_buffer_type_t type;
	void *context;
	std::size_t size;
	ggml_backend_buffer_usage usage;
};

struct ggml_backend {
	ggml_guid_t guid;
	const char *(*get_name)(ggml_backend_t);
	void (*free)(ggml_backend_t);
	void *set_tensor_async;
	void *get_tensor_async;
	void *set_tensor_2d_async;
	void *get_tensor_2d_async;
	void *cpy_tensor_async;
	void (*synchronize)(ggml_backend_t);
	void *graph_plan_create;
	void *graph_plan_free;
	void *graph_plan_update;
	void *graph_plan_compute;
	ggml_status (*graph_compute)(ggml_backend_t, ggml_cgraph *);
	void *event_record;
	void *event_wait;
	void *graph_optimize;
	ggml_backend_dev_t device;
	void *context;
};

struct ggml_backend_device {
	const char *(*get_name)(ggml_backend_dev_t);
	const char *(*get_description)(ggml_backend_dev_t);
	void (*get_memory)(ggml_backend_dev_t, std::size_t *, std::size_t *);
	enum ggml_backend_dev_type (*get_type)(ggml_backend_dev_t);
	void (*get_props)(ggml_backend_dev_t, ggml_backend_dev_props *);
	ggml_backend_t (*init_backend)(ggml_backend_dev_t, const char *);
	ggml_backend_buffer_type_t (*get_buffer_type)(ggml_backend_dev_t);
	ggml_backend_buffer_type_t (*get_host_buffer_type)(ggml_backend_dev_t) = nullptr;
	ggml_backend_buffer_t (*buffer_from_host_ptr)(ggml_backend_dev_t, void *, std::size_t,
						      std::size_t);
	bool (*supports_op)(ggml_backend_dev_t, const ggml_tensor *);
	bool (*supports_buft)(ggml_backend_dev_t, ggml_backend_buffer_type_t);
	bool (*offload_op)(ggml_backend_dev_t, const ggml_tensor *) = nullptr;
	void *event_new = nullptr;
	void *event_free = nullptr;
	void *event_synchronize = nullptr;
	ggml_backend_reg_t reg;
	void *context = nullptr;
};

struct ggml_backend_reg {
	int api_version;
	const char *(*get_name)(ggml_backend_reg_t);
	std::size_t (*get_device_count)(ggml_backend_reg_t);
	ggml_backend_dev_t (*get_device)(ggml_backend_reg_t, std::size_t);
	void *(*get_proc_address)(ggml_backend_reg_t, const char *);
	void *context;
};

/* Offsets that libggml-base uses. */
static_assert(offsetof(ggml_backend_buffer_type, device) == 0x40);
static_assert(offsetof(ggml_backend_buffer, type) == 0x58);
static_assert(offsetof(ggml_backend_buffer, usage) == 0x70);
static_assert(offsetof(ggml_backend, graph_compute) == 0x68);
static_assert(offsetof(ggml_backend, device) == 0x88);
static_assert(offsetof(ggml_backend_device, reg) == 0x78);
static_assert(offsetof(ggml_backend_reg, get_proc_address) == 0x20);
