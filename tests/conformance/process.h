/* SPDX-License-Identifier: MIT */
/// Other processes, and what is passed between them.
#pragma once

#include <atomic>
#include <functional>

#include <sys/types.h>

#include "device.h"

/// Runs @run in a child, whose exit status is 0 if no assertion failed there.
pid_t fork_run(const std::function<void()> &run);
/// Waits for a child that must have passed.
void check_exit(pid_t pid);
/// Kills a child and waits for it.
void kill_child(pid_t pid);

/// A pair of connected sockets.
struct Sockets {
	Sockets();

	Fd first, second;
};
void send_fd(const Fd &socket, int fd);
Fd receive_fd(const Fd &socket);
/// A byte from the other side says that it got somewhere.
void send_byte(const Fd &socket);
void receive_byte(const Fd &socket);

/// A thread that makes a call in which it sleeps, and whoever wants to know that it does.
class Sleeper
{
public:
	/// Right before the call, which is the next thing that the thread does.
	void enters() { thread_ = gettid(); }
	/// Returns when it sleeps in the call.
	void wait_asleep() const;

private:
	std::atomic<pid_t> thread_ = 0;
};

/// SIGUSR1 interrupts system calls of this process from now on.
void interruptible();
/// Makes a call, which is interrupted until it returns; 0 or a negative errno.
int interrupted(int fd, unsigned long request, void *args);
