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

int main(void)
{
	/* Starts CNA by itself, which is not for clients. */
	const uint64_t commands[] = { 0x0201000000011008ull };
	const struct npu_task task = { .commands = commands, .command_count = 1, .enable = 0xd };
	const struct npu_lane lane = { &task, 1 };
	const struct npu_context_options options = { .core_mask = 1 };
	struct npu_context *context = NULL;
	struct npu_device *device = NULL;
	struct npu_buffer *buffer = NULL;
	struct npu_page *page = NULL;
	struct npu_job *job = NULL;
	uint32_t cancelled = 0;
	int failed = 0;

	if (npu_device_open(NULL, &device))
		return 3;
	failed |= check(npu_device_core_count(device) == 3, "cores");
	failed |= check(!npu_buffer_create(device, 100, &buffer), "buffer");
	failed |= check(npu_buffer_size(buffer) == 4096, "size");
	failed |= check(npu_buffer_address(buffer) != 0, "address");
	memset(npu_buffer_data(buffer), 1, npu_buffer_size(buffer));
	failed |= check(npu_buffer_create(device, 0, &buffer) == -EINVAL, "no buffer");
	failed |= check(!npu_context_create(device, &options, &context), "context");
	failed |= check(npu_job_create(device, &lane, 1, &job) == -EINVAL, "refused");
	failed |= check(strstr(npu_error_message(), "command 0") != NULL, "message");
	failed |= check(npu_context_wait(context, 1, 1000000) == -ENOENT, "nothing to wait for");
	failed |= check(npu_context_cancel(context, 1, 1, &cancelled) == -ENOENT, "to cancel");
	failed |= check(!npu_page_map(context, &page), "page");
	failed |= check(npu_page_completed(page) == 0 && !npu_page_banned(page), "read page");
	failed |= check(!npu_buffer_wait(buffer, 0, 0), "buffer is free");
	npu_page_free(page);
	npu_context_free(context);
	npu_buffer_free(buffer);
	npu_device_free(device);
	npu_job_free(NULL);
	return failed;
}
