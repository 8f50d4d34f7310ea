/* SPDX-License-Identifier: MIT */
/*
 * The C interface: a command stream from a file becomes a job that multiplies a row of 32
 * ones with 32 x 32 ones, and the application polls for its end.
 *
 * Usage: npu-example-c FILE
 *
 * FILE has two lines of text, then a command a line in hexadecimal digits, whose addresses
 * are 0; tests/capi/product.txt is such a file. Exit status: 0 done, 1 it failed or the
 * result is wrong, 2 wrong usage.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <npu/npu.h>

#define SIZE 32
#define MAX_COMMANDS 1024
#define LINE 256
/* CNA, CORE and DPU, which multiply. */
#define ENABLE_BLOCKS 0x0d

/* The registers that take addresses; a command has its register in the lowest 16 bits. */
enum { FEATURES = 0x1070, WEIGHTS = 0x1110, RESULTS = 0x4020 };

static int say(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, npu_error_message());
	return 1;
}

/* The commands in @path, of which those that take an address get it; 0 if there are none. */
static size_t load(const char *path, const uint64_t *addresses, uint64_t *commands)
{
	static const unsigned int registers[] = {FEATURES, WEIGHTS, RESULTS};
	FILE *file = fopen(path, "r");
	char line[LINE];
	size_t count = 0;
	size_t lines = 0;

	if (!file) {
		perror(path);
		return 0;
	}
	while (count < MAX_COMMANDS && fgets(line, sizeof(line), file)) {
		if (lines++ < 2)
			continue;
		if (sscanf(line, "%" SCNx64, &commands[count]) != 1) {
			fprintf(stderr, "%s: line %zu is no command\n", path, lines);
			count = 0;
			break;
		}
		for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
			if ((commands[count] & 0xffff) == registers[i])
				commands[count] |= addresses[i] << 16;
		count++;
	}
	if (!count && lines <= 2)
		fprintf(stderr, "%s has no commands\n", path);
	fclose(file);
	return count;
}

/* Submits @job and waits for its end with poll(). */
static int run(struct npu_device *device, const struct npu_job *job)
{
	struct npu_job_status status = {.size = sizeof(status)};
	struct npu_context *context = NULL;
	struct npu_fence *fence = NULL;
	struct pollfd watched = {.fd = -1, .events = POLLIN};
	int failed = 1;

	if (npu_context_create(device, NULL, &context))
		say("context");
	else if (npu_context_submit(context, &job, 1, NULL, NULL, &fence))
		say("submit");
	else if (npu_fence_fd(fence, &watched.fd))
		say("fence");
	else if (poll(&watched, 1, -1) != 1)
		perror("poll");
	else if (npu_fence_wait(fence, NPU_IMMEDIATELY, &status) != NPU_ENDED)
		say("job");
	else
		failed = 0;
	if (!failed)
		printf("%" PRIu64 " multiply-accumulates in %" PRIu64 " ns\n", status.macs,
		       status.device_ns);
	if (watched.fd >= 0)
		close(watched.fd);
	npu_fence_free(fence);
	npu_context_free(context);
	return failed;
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {SIZE, SIZE * SIZE, SIZE * sizeof(int32_t)};
	static uint64_t commands[MAX_COMMANDS];
	struct npu_buffer *buffers[3] = {NULL};
	uint64_t addresses[3];
	struct npu_device *device = NULL;
	struct npu_job *job = NULL;
	int failed;

	if (argc != 2) {
		fprintf(stderr, "Usage: npu-example-c FILE, with a command a line\n");
		return 2;
	}
	failed = npu_device_open(NULL, &device) ? say("device") : 0;
	for (size_t i = 0; i < 3 && !failed; i++) {
		failed = npu_buffer_create(device, sizes[i], NULL, &buffers[i]) ? say("buffer") : 0;
		if (failed)
			break;
		addresses[i] = npu_buffer_address(buffers[i]);
		/* The last buffer is for the results. */
		memset(npu_buffer_data(buffers[i]), i < 2, sizes[i]);
	}
	if (!failed) {
		struct npu_task task = {.size = sizeof(task), .enable = ENABLE_BLOCKS};
		const struct npu_lane lane = {
			.size = sizeof(lane), .tasks = &task, .task_count = 1};

		task.commands = commands;
		task.command_count = load(argv[1], addresses, commands);
		if (!task.command_count)
			failed = 1;
		else if (npu_job_create(device, &lane, 1, NULL, &job))
			failed = say("job");
		else
			failed = run(device, job);
	}
	if (!failed) {
		const int32_t *results = npu_buffer_data(buffers[2]);

		for (size_t i = 0; i < SIZE; i++)
			failed |= results[i] != SIZE;
		printf("each of %d results is %" PRId32 "\n", SIZE, results[0]);
	}
	npu_job_free(job);
	for (size_t i = 0; i < 3; i++)
		npu_buffer_free(buffers[i]);
	npu_device_free(device);
	return failed;
}
