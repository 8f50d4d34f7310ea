/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <pwd.h>
#include <sys/stat.h>

namespace npu::top
{

namespace
{

namespace fs = std::filesystem;

/// Reads a file; nullopt if that fails, for example because the process has exited.
std::optional<std::string> read(const fs::path &path)
{
	std::ifstream file(path, std::ios::binary);

	if (!file)
		return {};
	return std::string(std::istreambuf_iterator<char>(file), {});
}

/// The entries of @p folder with numeric names, sorted; empty if the folder cannot be read.
std::vector<std::pair<pid_t, fs::path>> numbered(const fs::path &folder)
{
	std::vector<std::pair<pid_t, fs::path>> found;
	std::error_code error;

	for (fs::directory_iterator it(folder, error), end; !error && it != end;
	     it.increment(error)) {
		const std::string name = it->path().filename();
		pid_t number = 0;
		const auto [rest, wrong] =
			std::from_chars(name.data(), name.data() + name.size(), number);

		if (wrong == std::errc() && rest == name.data() + name.size())
			found.emplace_back(number, it->path());
	}
	std::ranges::sort(found);
	return found;
}

std::string target(const fs::path &link)
{
	std::error_code error;

	return fs::read_symlink(link, error).string();
}

/// The user name of the owner of @p path, or the uid.
std::string owner(const fs::path &path)
{
	struct stat info{};
	passwd entry{};
	passwd *found = nullptr;
	std::array<char, 4096> buffer{};

	if (::stat(path.c_str(), &info))
		return {};
	::getpwuid_r(info.st_uid, &entry, buffer.data(), buffer.size(), &found);
	return found ? found->pw_name : std::to_string(info.st_uid);
}

std::string command(const fs::path &process)
{
	std::string name = read(process / "comm").value_or("");

	if (!name.empty() && name.back() == '\n')
		name.pop_back();
	return name;
}

} // namespace

std::vector<Process> find_processes(const fs::path &proc, const std::string &device, pid_t self)
{
	std::vector<Process> processes;
	std::set<std::uint64_t> seen;

	for (const auto &[pid, path] : numbered(proc)) {
		Process process{.pid = pid, .user = {}, .command = {}, .clients = {}};

		if (pid == self)
			continue;
		for (const auto &[fd, link] : numbered(path / "fd")) {
			if (target(link) != device)
				continue;
			const auto text = read(path / "fdinfo" / std::to_string(fd));
			const auto client = text ? parse_fdinfo(*text) : std::nullopt;
			if (client && seen.insert(client->id).second)
				process.clients.push_back(*client);
		}
		if (process.clients.empty())
			continue;
		process.user = owner(path);
		process.command = command(path);
		processes.push_back(std::move(process));
	}
	return processes;
}

std::string opened_device()
{
	std::string device;

	for (const auto &[fd, link] : numbered("/proc/self/fd")) {
		const auto text = read("/proc/self/fdinfo/" + std::to_string(fd));

		if (text && parse_fdinfo(*text))
			device = target(link);
	}
	return device;
}

} // namespace npu::top
