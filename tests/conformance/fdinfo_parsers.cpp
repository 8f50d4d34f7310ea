/* SPDX-License-Identifier: MIT */
/// fdinfo as other programs read it. Each subtest has the rules of one reader.
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "fdinfo_file.h"
#include "igt.h"
#include "program.h"

namespace
{

constexpr const char *memory_keys[] = {"total", "shared", "resident", "purgeable", "active"};

/// fdinfo of a file that has memory and has run a job.
struct Client {
	Client() : product(device)
	{
		const std::uint32_t context = device.context();

		CHECK_EQ(::run(device, context, create_job(device, {{product.task()}})), 1);
		text = read_fdinfo_text(device.fd());
		info = read_fdinfo(device.fd());
	}

	/// The names of the regions, as the kernel's dmem control group has them.
	std::vector<std::string> regions() const
	{
		std::vector<std::string> names{"memory"};

		for (std::uint32_t i = 1; i < device.info().region_count; i++)
			names.push_back("sram" + (i == 1 ? "" : std::to_string(i)));
		return names;
	}

	Device device;
	Product product;
	std::string text;
	FdInfo info;
};

bool matches(const std::string &text, const std::string &pattern)
{
	return std::regex_match(text, std::regex(pattern));
}

} // namespace

/*
 * Documentation/gpu/drm-usage-stats.rst: "<key>:[ \t]+<value>" with standard keys that
 * begin with drm-, others that begin with a name of the driver's; "drm-engine-<keystr>:
 * <uint> ns", "drm-engine-capacity-<keystr>: <uint>" above 0 for engines of the same
 * name, "drm-cycles-<keystr>: <uint>", "drm-maxfreq-<keystr>: <uint> [Hz|MHz|KHz]" and
 * "drm-{total,shared,resident,purgeable,active}-<region>: <uint> [KiB|MiB]". The region
 * "memory" is system memory.
 */
SUBTEST(fdinfo_rules)
{
	const Client client;
	const std::string key = "[a-z0-9-]+";
	std::istringstream lines(client.text);

	for (std::string line; std::getline(lines, line);) {
		const igt::Note note(line);
		const auto is = [&](const std::string &pattern) {
			return matches(line, pattern);
		};

		if (!line.starts_with("drm-") && !line.starts_with("npu-"))
			continue; /* Of the kernel's core: pos, flags, mnt_id, ino. */
		CHECK(is("drm-driver:\t[a-z0-9_]+") || is("drm-client-id:\t\\d+") ||
		      is("drm-engine-capacity-npu:\t[1-9]\\d*") || is("drm-engine-npu:\t\\d+ ns") ||
		      is("drm-cycles-npu:\t\\d+") || is("drm-maxfreq-npu:\t\\d+ (Hz|KHz|MHz)") ||
		      is("drm-(total|shared|resident|purgeable|active)-(memory|sram\\d?):\t\\d+( "
			 "KiB| MiB)?") ||
		      is("npu-time-(latency|throughput|background):\t\\d+ ns") ||
		      is("npu-" + key + ":\t\\d+"));
	}
	CHECK_EQ(fdinfo_amount(client.info, "drm-engine-capacity-npu"),
		 client.device.info().core_count);
	CHECK(fdinfo_amount(client.info, "drm-engine-npu") > 0);
	for (const std::string &region : client.regions())
		for (const char *what : memory_keys)
			CHECK(fdinfo_amount(client.info,
					    "drm-" + std::string(what) + "-" + region) <=
			      fdinfo_amount(client.info, "drm-total-" + region));
	CHECK(fdinfo_amount(client.info, "drm-total-memory") >=
	      client.product.features.size() + client.product.weights.size());
}

/*
 * nvtop splits a line at its first colon, skips blanks, and passes over lines without a
 * value. It wants a drm-client-id that strtoul() takes whole, engines as a number and
 * exactly " ns", cycles that strtoull() takes whole, frequencies as a number and exactly
 * " Hz", and memory as a number and exactly " KiB" in drm-total-memory and
 * drm-resident-memory. A drm-pdev has to be the address of a PCI device: others have
 * none.
 */
SUBTEST(fdinfo_nvtop)
{
	const Client client;
	std::istringstream lines(client.text);
	std::size_t pairs = 0;

	for (std::string line; std::getline(lines, line); pairs++) {
		const std::size_t colon = line.find(':');

		CHECK(colon != std::string::npos && colon > 0);
		CHECK(line.find_first_not_of(" \t", colon + 1) != std::string::npos);
	}
	CHECK_EQ(pairs, client.info.size());
	const auto is = [&](const std::string &key, const std::string &pattern) {
		const igt::Note note(key);
		const auto found = client.info.find(key);

		CHECK(found != client.info.end());
		CHECK(matches(found->second, pattern));
	};
	is("drm-driver", "\\S+");
	is("drm-client-id", "\\d+");
	is("drm-engine-npu", "\\d+ ns");
	is("drm-maxfreq-npu", "\\d+ Hz");
	if (client.info.contains("drm-cycles-npu"))
		is("drm-cycles-npu", "\\d+");
	is("drm-total-memory", "\\d+ KiB");
	is("drm-resident-memory", "\\d+ KiB");
	CHECK(!client.info.contains("drm-pdev") ||
	      matches(client.info.at("drm-pdev"), "[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]"));
}

/*
 * `resources` searches the whole text with expressions "KEY:\s*(\d+)\s*UNIT": ns for
 * engines, KiB for memory, of which drm-total-memory is all that an NPU has; a number
 * below 2^64 that Rust's parse() takes. A key must not be the end of another one, and no
 * value may have a sign, a separator or a fraction.
 */
SUBTEST(fdinfo_resources)
{
	const Client client;
	const auto found = [&](const std::string &pattern) {
		const std::regex expression(pattern);

		return std::distance(
			std::sregex_iterator(client.text.begin(), client.text.end(), expression),
			std::sregex_iterator());
	};

	CHECK_EQ(found("drm-driver:\\s*(\\S+)"), 1);
	CHECK_EQ(found("drm-client-id:\\s*(\\d+)"), 1);
	CHECK_EQ(found("drm-engine-npu:\\s*(\\d+)\\s*ns"), 1);
	CHECK_EQ(found("drm-engine-capacity-npu:\\s*(\\d+)"), 1);
	CHECK_EQ(found("drm-total-memory:\\s*(\\d+)\\s*KiB"), 1);
	CHECK_EQ(found("drm-resident-memory:\\s*(\\d+)\\s*KiB"), 1);
	CHECK_EQ(found(":\\s*[-+]\\d"), 0);
	CHECK_EQ(found("\\d[,.]\\d"), 0);
}
