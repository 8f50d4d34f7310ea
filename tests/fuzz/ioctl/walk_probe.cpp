/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>

#include "../../conformance/device.h"
#include "../../conformance/igt.h"
#include "../../conformance/plug.h"
#include "../../conformance/program.h"
#include "fail_nth.h"

namespace fuzz
{

namespace
{

/// Upper limit of the allocations of a probe.
constexpr unsigned max_fail = 5000;

/// Check that the device still works after every so many failures. Most of the time is spent in
/// successful probes.
constexpr unsigned works_every = 16;

/*
 * Excluded: if it fails, drm_minor_alloc() leaves an error pointer where the release of the minor
 * drops a reference. The DRM core of Linux 6.12 to 7.2 then oopses, which the driver cannot
 * prevent.
 */
constexpr const char *unsafe = "drm_sysfs_minor_alloc";

/// Binds a device to its driver and unbinds it.
class Binding
{
public:
	explicit Binding(Plug plug)
		: plug_(std::move(plug)), bind_(open("bind")), unbind_(open("unbind"))
	{
	}

	int bind() const { return write(bind_); }
	void unbind() const { CHECK_OK(write(unbind_)); }
	bool bound() const { return !access((plug_.driver + "/" + plug_.device).c_str(), F_OK); }

private:
	Fd open(const char *file) const
	{
		Fd fd(::open((plug_.driver + "/" + file).c_str(), O_WRONLY | O_CLOEXEC));

		CHECK(fd.get() >= 0);
		return fd;
	}
	int write(const Fd &fd) const
	{
		const std::string &name = plug_.device;

		return pwrite(fd.get(), name.data(), name.size(), 0) < 0 ? -errno : 0;
	}

	Plug plug_;
	Fd bind_, unbind_;
};

/*
 * mdev may handle the previous removal of the node so late that it removes the new node. It then
 * creates the node again.
 */
void check_opens_and_works()
{
	constexpr int tries = 6000;

	for (int i = 0; i < tries; i++) {
		try {
			check_works(Device());
			return;
		} catch (const igt::Skip &) {
			usleep(10000);
		}
	}
	igt::fail(__FILE__, __LINE__, "a device that is bound can be opened", "");
}

void check_bind(const Binding &binding)
{
	CHECK_OK(binding.bind());
	CHECK(binding.bound());
	check_opens_and_works();
	binding.unbind();
}

/// @return the number of allocations and copies that failed; throws on a violation
unsigned walk_bind(const Binding &binding)
{
	for (unsigned n = 1; n < max_fail; n++) {
		igt::Note note("allocation " + std::to_string(n));

		fail_nth_set(n);
		int result = binding.bind();
		bool failed = fail_nth_end();

		CHECK_EQ(binding.bound(), !result);
		if (!result)
			binding.unbind();
		if (!failed) {
			CHECK_OK(result);
			return n - 1;
		}
		/* Some allocations are optional, such as those for links in sysfs and debugfs. */
		if (result && result != -EFAULT)
			CHECK_ERR(result, ENOMEM);
		if (n % works_every == 0)
			check_bind(binding);
	}
	igt::fail(__FILE__, __LINE__, "the probe ends", "allocations without end");
}

} // namespace

unsigned walk_probe()
{
	const Spared spared(unsafe);

	if (!spared.missing().empty()) {
		std::printf("skipped: fail-nth: probe: %s\n", spared.missing().c_str());
		throw igt::Skip{};
	}
	const Binding binding(need_plug());

	binding.unbind();
	const unsigned failures = walk_bind(binding);
	check_bind(binding);
	CHECK_OK(binding.bind());
	check_opens_and_works();
	return failures;
}

} // namespace fuzz
