/* SPDX-License-Identifier: MIT */
#include "plug.h"

#include <cerrno>
#include <string>

#include <fcntl.h>

#include "device.h"
#include "igt.h"

namespace
{

const char bound[] = "/sys/bus/platform/drivers/npu_virt/npu_virt.0";

} // namespace

void need_plug()
{
	need_root();
	if (access(bound, F_OK))
		igt::skip("the device is not npu_virt.0");
}

int write_driver(const char *file)
{
	std::string path = std::string("/sys/bus/platform/drivers/npu_virt/") + file;
	Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));

	if (fd.get() < 0)
		return -errno;
	return write(fd.get(), "npu_virt.0", 10) == 10 ? 0 : -errno;
}

Unplugged::Unplugged()
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
	CHECK_OK(access(bound, F_OK));
}
