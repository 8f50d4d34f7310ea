/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "patience.h"

pid_t fork_run(const std::function<void()> &run)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	alarm(static_cast<unsigned>(patience::all().count()));
	/* Exceptions of assertions must not cross fork(). */
	int status = 1;
	try {
		run();
		status = 0;
	} catch (...) {
		status = 1;
	}
	_exit(status);
}

/// Also when a signal arrives.
static void wait_for(pid_t pid, int *status)
{
	pid_t result;

	do
		result = waitpid(pid, status, 0);
	while (result < 0 && errno == EINTR);
	CHECK_EQ(result, pid);
}

void check_exit(pid_t pid)
{
	int status = 0;

	wait_for(pid, &status);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

void kill_child(pid_t pid)
{
	CHECK_OK(kill(pid, SIGKILL));
	wait_for(pid, nullptr);
}

Sockets::Sockets()
{
	int raw[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw));
	first = Fd(raw[0]);
	second = Fd(raw[1]);
}

void send_fd(const Fd &socket, int fd)
{
	char byte = 0;
	iovec data{&byte, 1};
	alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
	msghdr message{};

	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(socket.get(), &message, 0), 1);
}

Fd receive_fd(const Fd &socket)
{
	char byte = 0;
	iovec data{&byte, 1};
	alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
	msghdr message{};
	int fd = -1;

	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	CHECK_EQ(recvmsg(socket.get(), &message, 0), 1);
	CHECK(CMSG_FIRSTHDR(&message));
	std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return Fd(fd);
}

void send_byte(const Fd &socket)
{
	CHECK_EQ(write(socket.get(), "x", 1), 1);
}

void receive_byte(const Fd &socket)
{
	char byte;

	CHECK_EQ(read(socket.get(), &byte, 1), 1);
}

/// The state of a thread of this process, as /proc tells it: 'S' for one that a signal
/// would wake.
static char state_of(pid_t thread)
{
	std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
	std::string text;

	CHECK(std::getline(file, text));
	/* The name may have blanks and brackets in it. */
	return text.at(text.rfind(')') + 2);
}

void Sleeper::wait_asleep() const
{
	/* The driver waits for its own locks, and for memory, in another state. */
	CHECK(patience::comes([&] { return thread_ && state_of(thread_) == 'S'; }));
}

void interruptible()
{
	struct sigaction action{};

	action.sa_handler = [](int) {
	};
	CHECK_OK(sigaction(SIGUSR1, &action, nullptr));
}

int interrupted(int fd, unsigned long request, void *args)
{
	std::atomic<pthread_t> waiter{};
	std::atomic<bool> done = false;
	int result = 0;

	interruptible();
	igt::parallel(2, [&](unsigned thread) {
		if (!thread) {
			waiter = pthread_self();
			result = call_once(fd, request, args);
			done = true;
		}
		while (!done) {
			usleep(1000);
			if (waiter)
				pthread_kill(waiter, SIGUSR1);
		}
	});
	return result;
}
