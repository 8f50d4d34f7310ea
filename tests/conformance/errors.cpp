/* SPDX-License-Identifier: MIT */
/// Counters of hangs, faults and resets: debugfs and DRM RAS.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "debugfs.h"
#include "igt.h"
#include "injection.h"
#include "program.h"

namespace
{

/// By name, the sum over all devices.
using Counters = std::map<std::string, std::uint64_t>;

Counters read_counters()
{
	std::istringstream words(read_debugfs("errors"));
	Counters counters;
	std::string name;
	std::string value;

	while (words >> name >> value)
		counters[name] += std::stoull(value);
	if (counters.empty())
		igt::skip("needs the driver's file errors in debugfs");
	return counters;
}

/// A conversation with a family of generic netlink, as root.
class Netlink
{
public:
	/// An attribute: its type and what is in it.
	struct Attribute {
		std::uint16_t type;
		std::vector<char> data;

		std::uint32_t number() const
		{
			std::uint32_t value = 0;

			std::memcpy(&value, data.data(), std::min(data.size(), sizeof(value)));
			return value;
		}
		std::string text() const { return data.data(); }
	};
	/// The attributes of an answer, by type.
	using Message = std::map<std::uint16_t, Attribute>;

	Netlink() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC))
	{
		CHECK(fd_.get() >= 0);
	}

	/// The number of the family; nothing if the kernel does not have it.
	std::optional<std::uint16_t> family(const std::string &name) const
	{
		std::vector<char> text(name.begin(), name.end());

		text.push_back('\0');
		for (Message &message : ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0,
					    {{CTRL_ATTR_FAMILY_NAME, std::move(text)}}))
			return static_cast<std::uint16_t>(message[CTRL_ATTR_FAMILY_ID].number());
		return std::nullopt;
	}

	/// All answers to a command; none after an error.
	std::vector<Message> ask(std::uint16_t family, std::uint8_t command, std::uint16_t flags,
				 const std::vector<Attribute> &attributes) const
	{
		send(family, command, flags, attributes);
		std::vector<Message> messages;
		std::array<char, 1 << 15> buffer{};
		bool more = true;

		while (more) {
			ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
			CHECK(got > 0);
			more = take(std::span(buffer.data(), static_cast<std::size_t>(got)),
				    messages) &&
			       flags & NLM_F_DUMP;
		}
		return messages;
	}

private:
	static constexpr std::size_t heading = sizeof(nlmsghdr) + sizeof(genlmsghdr);
	static constexpr std::size_t attribute_heading = sizeof(nlattr);

	/// Where the next message or attribute begins.
	static constexpr std::size_t align(std::size_t size)
	{
		return (size + 3) & ~std::size_t{3};
	}

	void send(std::uint16_t family, std::uint8_t command, std::uint16_t flags,
		  const std::vector<Attribute> &attributes) const
	{
		std::vector<char> data(heading);

		for (const Attribute &attribute : attributes) {
			nlattr head{};

			head.nla_type = attribute.type;
			head.nla_len = static_cast<std::uint16_t>(attribute_heading +
								  attribute.data.size());
			std::size_t begin = data.size();
			data.resize(begin + align(head.nla_len));
			std::memcpy(&data[begin], &head, sizeof(head));
			std::memcpy(&data[begin + attribute_heading], attribute.data.data(),
				    attribute.data.size());
		}
		nlmsghdr head{};
		head.nlmsg_len = static_cast<std::uint32_t>(data.size());
		head.nlmsg_type = family;
		head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
		genlmsghdr generic{};
		generic.cmd = command;
		generic.version = 1;
		std::memcpy(data.data(), &head, sizeof(head));
		std::memcpy(data.data() + sizeof(nlmsghdr), &generic, sizeof(generic));
		CHECK_EQ(::send(fd_.get(), data.data(), data.size(), 0), data.size());
	}

	/// Adds the messages in @data to @messages. Answers false after the last one.
	static bool take(std::span<const char> data, std::vector<Message> &messages)
	{
		while (data.size() >= heading) {
			nlmsghdr head{};

			std::memcpy(&head, data.data(), sizeof(head));
			CHECK(head.nlmsg_len >= heading && head.nlmsg_len <= data.size());
			if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
				return false;
			messages.push_back(parse(data.first(head.nlmsg_len).subspan(heading)));
			data = data.subspan(std::min(align(head.nlmsg_len), data.size()));
		}
		return true;
	}

	static Message parse(std::span<const char> data)
	{
		Message message;

		while (data.size() >= attribute_heading) {
			nlattr head{};

			std::memcpy(&head, data.data(), sizeof(head));
			CHECK(head.nla_len >= attribute_heading && head.nla_len <= data.size());
			auto value = data.first(head.nla_len).subspan(attribute_heading);
			message[head.nla_type] = {head.nla_type, {value.begin(), value.end()}};
			data = data.subspan(std::min(align(head.nla_len), data.size()));
		}
		return message;
	}

	Fd fd_;
};

/// What DRM RAS tells of NPUs. Older headers do not have <drm/drm_ras.h>.
class Ras
{
public:
	Ras()
	{
		std::optional<std::uint16_t> family = netlink_.family("drm-ras");

		if (!family)
			igt::skip("needs a kernel with CONFIG_DRM_RAS, such as that of "
				  "tests/uml/run --flavour smp");
		family_ = *family;
	}

	Counters read()
	{
		Counters counters;

		for (Netlink::Message &node : netlink_.ask(family_, list_nodes, NLM_F_DUMP, {})) {
			if (node[node_name].text() != "npu")
				continue;
			CHECK(!node[device_name].text().empty());
			CHECK_EQ(node[node_type].number(), 1);
			for (Netlink::Message &counter :
			     netlink_.ask(family_, get_error_counter, NLM_F_DUMP, {node[node_id]}))
				counters[counter[error_name].text()] +=
					counter[error_value].number();
		}
		return counters;
	}

private:
	static constexpr std::uint8_t list_nodes = 1;
	static constexpr std::uint8_t get_error_counter = 2;
	/* Attributes of nodes, and of counters; the identifier of the node is in both. */
	static constexpr std::uint16_t node_id = 1;
	static constexpr std::uint16_t device_name = 2;
	static constexpr std::uint16_t node_name = 3;
	static constexpr std::uint16_t node_type = 4;
	static constexpr std::uint16_t error_name = 3;
	static constexpr std::uint16_t error_value = 4;

	Netlink netlink_;
	std::uint16_t family_ = 0;
};

/// Expects that the counters have grown by so much since @before.
void check_grown(const Counters &before, const Counters &after, const Counters &by)
{
	CHECK_EQ(after.size(), before.size());
	for (const auto &[name, count] : after) {
		igt::Note note(name);
		auto grown = by.find(name);

		CHECK(before.contains(name));
		CHECK_EQ(count - before.at(name), grown == by.end() ? 0 : grown->second);
	}
}

/// Hangs and faults, and expects that @read counts them.
void check_counts(const std::function<Counters()> &read)
{
	Device device;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t good = create_job(device, {{product.task()}});
	std::uint32_t bad = create_job(device, {{faulting(product)}});
	Hang hang;

	Counters start = read();
	CHECK(start.contains("hang") && start.contains("fault") && start.contains("reset"));
	CHECK_EQ(run(device, context, good), 1);
	check_grown(start, read(), {});
	CHECK_EQ(hang.run(device, context, good), -ETIMEDOUT);
	check_grown(start, read(), {{"hang", 1}, {"reset", 1}});
	CHECK_EQ(run(device, context, bad), -EFAULT);
	check_grown(start, read(), {{"hang", 1}, {"fault", 1}, {"reset", 2}});
	CHECK_EQ(run(device, context, good), 1);
	check_grown(start, read(), {{"hang", 1}, {"fault", 1}, {"reset", 2}});
}

} // namespace

SUBTEST(errors_debugfs)
{
	check_counts(read_counters);
}

SUBTEST(errors_ras)
{
	need_root();
	Ras ras;

	check_counts([&] { return ras.read(); });
	CHECK(ras.read() == read_counters());
}
