/* SPDX-License-Identifier: MIT */
/*
 * The objects behind the pointers of the C interface.
 */
#pragma once

#include "npu/buffer.h"
#include "npu/context.h"
#include "npu/device.h"
#include "npu/fence.h"
#include "npu/job.h"
#include "npu/npu.h"
#include "npu/page.h"
#include "npu/sync.h"

struct npu_device {
	npu::Device device;
};

struct npu_buffer {
	npu::Buffer buffer;
};

struct npu_access {
	npu::Buffer::Access access;
};

struct npu_context {
	npu::Context context;
};

struct npu_job {
	npu::Job job;
};

struct npu_page {
	npu::CompletionPage page;
};

struct npu_fence {
	npu::Fence fence;
};

struct npu_syncobj {
	npu::Syncobj syncobj;
};
