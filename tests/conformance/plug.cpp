/* SPDX-License-Identifier: MIT */
#include "plug.h"

#include <cerrno>

#include <fcntl.h>
#include <glob.h>

#include "device.h"
#include "igt.h"

namespace
{

struct Driver {
	const char *module;
	/// With what its devices are called.
	const char *devices;
};
constexpr Driver drivers[] = {
	{"npu_virt", "/sys/bus/platform/drivers/npu_virt/npu_virt.0"},
	{"npu_rk3588", "/sys/bus/platform/drivers/npu_rk3588_core/*.npu"},
};

} // namespace

Plug need_plug()
{
	need_root();
	for (const Driver &driver : drivers) {
		glob_t found{};
		std::string path;

		if (!glob(driver.devices, 0, nullptr, &found))
			path = found.gl_pathv[0];
		globfree(&found);
		if (std::size_t slash = path.rfind('/'); slash != std::string::npos)
			return {driver.module, path.substr(0, slash), path.substr(slash + 1)};
	}
	igt::skip("needs npu_virt or npu_rk3588, bound to its device");
}

int Unplugged::write_driver(const char *file) const
{
	Fd fd(open((plug_.driver + "/" + file).c_str(), O_WRONLY | O_CLOEXEC));

	if (fd.get() < 0)
		return -errno;
	return write(fd.get(), plug_.device.c_str(), plug_.device.size()) < 0 ? -errno : 0;
}

Unplugged::Unplugged(Plug plug) : plug_(std::move(plug))
{
	CHECK_OK(write_driver("unbind"));
}

Unplugged::~Unplugged()
{
	if (gone_)
		write_driver("bind");
}

void Unplugged::rebind()
{
	gone_ = false;
	CHECK_OK(write_driver("bind"));
	CHECK_OK(access((plug_.driver + "/" + plug_.device).c_str(), F_OK));
}
