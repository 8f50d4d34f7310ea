/* SPDX-License-Identifier: MIT */
/*
 * The C interface: objects, and errors where there should be some.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <npu/npu.h>

static int check(int ok, const char *what)
{
	if (!ok)
		fprintf(stderr, "consumer: %s: %s\n", what, npu_error_message());
	return !ok;
}

static int use(struct npu_device *device)
{
	/* Starts CNA by itself, which is not for clients. */
	const uint64_t commands[] = { 0x0201000000011008ull };
	const struct npu_task task = {
		.size = sizeof(task), .commands = commands, .command_count = 1, .enable = 0xd
	};
	const struct npu_lane lane = { .size = sizeof(lane), .tasks = &task, .task_count = 1 };
	const struct npu_context_options options = { .size = sizeof(options), .core_mask = 1 };
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_context *context = NULL;
	struct npu_buffer *buffer = NULL;
	struct npu_page *page = NULL;
	struct npu_job *job = NULL;
	int failed = 0;

	failed |= check(!npu_device_get_info(device, &info) && info.core_count == 3, "cores");
	failed |= check(!npu_buffer_create(device, 100, NULL, &buffer), "buffer");
	failed |= check(npu_buffer_size(buffer) == 4096, "size");
	failed |= check(npu_buffer_address(buffer) != 0, "address");
	memset(npu_buffer_data(buffer), 1, npu_buffer_size(buffer));
	failed |= check(npu_buffer_create(device, 0, NULL, &buffer) == -EINVAL, "no buffer");
	failed |= check(!npu_context_create(device, &options, &context), "context");
	failed |= check(npu_job_create(device, &lane, 1, NULL, &job) == -EINVAL, "refused");
	failed |= check(strstr(npu_error_message(), "command 0") != NULL, "message");
	failed |= check(npu_context_wait(context, 1, npu_deadline_in(1000000), NULL) == -ENOENT,
			"nothing to wait for");
	failed |= check(npu_context_cancel(context, 1, 1, NULL) == -ENOENT, "to cancel");
	failed |= check(!npu_page_map(context, &page), "page");
	failed |= check(npu_page_completed(page) == 0 && !npu_page_banned(page), "read page");
	failed |= check(npu_buffer_wait(buffer, NPU_USE_ANY, NPU_IMMEDIATELY) == NPU_ENDED,
			"buffer is free");
	npu_page_free(page);
	npu_context_free(context);
	npu_buffer_free(buffer);
	return failed;
}

int main(void)
{
	struct npu_device *device = NULL;
	int failed;

	if (npu_device_open(NULL, &device))
		return 3;
	failed = use(device);
	npu_device_free(device);
	npu_job_free(NULL);
	return failed;
}
