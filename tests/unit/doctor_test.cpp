/* SPDX-License-Identifier: MIT */
/// npu-info --doctor on fake systems that consist of files.
#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor.h"

namespace
{

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// A Rock 5 without problems, which tests then break.
class Doctor : public testing::Test
{
protected:
	Doctor()
	{
		std::string name = testing::TempDir() + "doctor.XXXXXX";

		root_ = mkdtemp(name.data());
		write("proc/sys/kernel/osrelease", "7.3.4-arm64\n");
		for (const char *core : {"fdab0000", "fdac0000", "fdad0000"}) {
			const std::string node = std::string("proc/device-tree/npu@") + core;
			const std::string device =
				std::string("sys/bus/platform/devices/") + core + ".npu";

			write(node + "/compatible", std::string("rockchip,rk3588-rknn-core\0", 26));
			write(node + "/status", std::string("okay\0", 5));
			write(node + "/iommus", "1234");
			write(node + "/sram", "1234");
			write(device + "/iommu_group", "");
			bind(core, "npu_rk3588_core");
		}
		write("sys/module/npu_rk3588/version", "");
		write("sys/class/accel/accel0/dev", "261:0");
		write("sys/class/devfreq/fdab0000.npu/governor", "simple_ondemand");
		write("lib/modules/7.3.4-arm64/updates/dkms/npu_rk3588.ko.xz", "");
		write("dev/accel/accel0", "");
	}
	~Doctor() override { fs::remove_all(root_); }

	void write(const std::string &path, const std::string &text) const
	{
		fs::create_directories((root_ / path).parent_path());
		std::ofstream(root_ / path, std::ios::binary) << text;
	}
	void remove(const std::string &path) const { fs::remove_all(root_ / path); }
	/// Binds a core to a driver, or to none if it is empty.
	void bind(const std::string &core, const std::string &driver) const
	{
		const std::string link = "sys/bus/platform/devices/" + core + ".npu/driver";

		remove(link);
		if (!driver.empty())
			fs::create_symlink("/sys/bus/platform/drivers/" + driver, root_ / link);
	}
	void bind_all(const std::string &driver) const
	{
		for (const char *core : {"fdab0000", "fdac0000", "fdad0000"})
			bind(core, driver);
	}
	void not_loaded() const
	{
		bind_all("");
		remove("sys/module/npu_rk3588");
		remove("sys/class/accel");
	}

	/// The kinds of the doctor's findings, without duplicates.
	std::vector<std::string> ids() const
	{
		std::vector<std::string> found;

		for (const npu::doctor::Finding &finding :
		     npu::doctor::diagnose({root_, [&](const fs::path &) {
						    return error_;
					    }})) {
			EXPECT_FALSE(finding.problem.empty());
			EXPECT_FALSE(finding.remedy.empty());
			if (found.empty() || found.back() != finding.id)
				found.push_back(finding.id);
		}
		return found;
	}

	fs::path root_;
	/// The errno of opening the device file.
	int error_ = 0;
};

TEST_F(Doctor, AllIsWell)
{
	EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(Doctor, NoNode)
{
	remove("proc/device-tree");
	EXPECT_THAT(ids(), ElementsAre("no-node"));
}

/* The vendor's kernel also names its node npu@. */
TEST_F(Doctor, VendorsNode)
{
	remove("proc/device-tree");
	write("proc/device-tree/npu@fdab0000/compatible",
	      std::string("rockchip,rk3588-rknpu\0", 22));
	EXPECT_THAT(ids(), ElementsAre("no-node"));
}

TEST_F(Doctor, DisabledNode)
{
	write("proc/device-tree/npu@fdac0000/status", std::string("disabled\0", 9));
	EXPECT_THAT(ids(), ElementsAre("disabled"));
}

TEST_F(Doctor, NodeWithoutIommu)
{
	remove("proc/device-tree/npu@fdad0000/iommus");
	EXPECT_THAT(ids(), ElementsAre("no-iommu"));
}

TEST_F(Doctor, IommuWithoutDriver)
{
	remove("sys/bus/platform/devices/fdad0000.npu/iommu_group");
	EXPECT_THAT(ids(), ElementsAre("no-iommu"));
}

TEST_F(Doctor, OldKernel)
{
	write("proc/sys/kernel/osrelease", "6.1.0-25-arm64\n");
	EXPECT_THAT(ids(), ElementsAre("old-kernel"));
}

TEST_F(Doctor, ModuleOfAnotherKernel)
{
	not_loaded();
	write("proc/sys/kernel/osrelease", "7.4.0-arm64\n");
	EXPECT_THAT(ids(), ElementsAre("no-module"));
}

TEST_F(Doctor, NotLoaded)
{
	not_loaded();
	EXPECT_THAT(ids(), ElementsAre("not-loaded"));
}

TEST_F(Doctor, SecureBoot)
{
	not_loaded();
	write("sys/firmware/efi/efivars/SecureBoot-8be4df61", std::string("\6\0\0\0\1", 5));
	EXPECT_THAT(ids(), ElementsAre("secure-boot"));
	write("sys/firmware/efi/efivars/SecureBoot-8be4df61", std::string("\6\0\0\0\0", 5));
	EXPECT_THAT(ids(), ElementsAre("not-loaded"));
}

TEST_F(Doctor, OtherDriver)
{
	bind_all("rocket");
	EXPECT_THAT(ids(), ElementsAre("other-driver"));
}

TEST_F(Doctor, NotBound)
{
	bind_all("");
	EXPECT_THAT(ids(), ElementsAre("not-bound"));
}

TEST_F(Doctor, NotInTheGroup)
{
	error_ = EACCES;
	EXPECT_THAT(ids(), ElementsAre("no-access"));
}

TEST_F(Doctor, Container)
{
	remove("dev/accel");
	EXPECT_THAT(ids(), ElementsAre("no-device-file"));
}

/* Kernels without CONFIG_DRM_ACCEL. */
TEST_F(Doctor, RenderNode)
{
	remove("sys/class/accel");
	remove("dev/accel");
	write("sys/class/drm/renderD128/dev", "226:128");
	EXPECT_THAT(ids(), ElementsAre("no-device-file"));
	write("dev/dri/renderD128", "");
	EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(Doctor, SlowClock)
{
	remove("sys/class/devfreq");
	EXPECT_THAT(ids(), ElementsAre("slow-clock"));
}

TEST_F(Doctor, NoOnChipMemory)
{
	for (const char *core : {"fdab0000", "fdac0000", "fdad0000"})
		remove(std::string("proc/device-tree/npu@") + core + "/sram");
	EXPECT_THAT(ids(), ElementsAre("no-sram"));
}

/* None of these is fatal: the NPU works. */
TEST_F(Doctor, HintsAreNotFatal)
{
	remove("sys/class/devfreq");
	for (const npu::doctor::Finding &finding :
	     npu::doctor::diagnose({root_, [](const fs::path &) {
					    return 0;
				    }}))
		EXPECT_FALSE(finding.fatal);
}

} // namespace
