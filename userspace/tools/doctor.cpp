/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace npu::doctor
{

namespace
{

namespace fs = std::filesystem;

constexpr const char *core_compatible = "rockchip,rk3588-rknn-core";
constexpr const char *our_driver = "npu_rk3588_core";
/// The oldest kernel that the modules build for.
constexpr std::pair<int, int> oldest{6, 12};

std::optional<std::string> read(const fs::path &path)
{
	std::ifstream file(path, std::ios::binary);

	if (!file)
		return std::nullopt;
	return std::string(std::istreambuf_iterator<char>(file), {});
}

/// One line, without its end.
std::string line(const fs::path &path)
{
	std::string text = read(path).value_or("");

	while (!text.empty() && (text.back() == '\n' || text.back() == '\0'))
		text.pop_back();
	return text;
}

std::vector<fs::path> entries(const fs::path &directory)
{
	std::vector<fs::path> found;
	std::error_code error;

	for (fs::directory_iterator it(directory, error), end; !error && it != end;
	     it.increment(error))
		found.push_back(it->path());
	std::ranges::sort(found);
	return found;
}

/// Entries of a directory whose names have this beginning and this end.
std::vector<fs::path> named(const fs::path &directory, std::string_view begin, std::string_view end)
{
	std::vector<fs::path> found = entries(directory);

	std::erase_if(found, [&](const fs::path &path) {
		const std::string name = path.filename();

		return !name.starts_with(begin) || !name.ends_with(end);
	});
	return found;
}

/// Collects the findings of one run.
class Examination
{
public:
	explicit Examination(const System &system) : system_(system) {}

	std::vector<Finding> run();

private:
	fs::path at(const std::string &path) const { return system_.root / path; }
	void add(bool fatal, std::string id, std::string problem, std::string remedy);
	void kernel();
	void nodes();
	void node(const fs::path &path);
	void iommus();
	bool module_built() const;
	void module();
	void driver();
	void device();
	void clock();
	void sram();
	bool fatal() const { return std::ranges::any_of(findings_, &Finding::fatal); }

	const System &system_;
	std::vector<Finding> findings_;
	/// Nodes of cores in the device tree that are enabled.
	std::vector<fs::path> cores_;
	/// The driver is loaded and has at least a core.
	bool bound_ = false;
};

void Examination::add(bool fatal, std::string id, std::string problem, std::string remedy)
{
	findings_.push_back({std::move(id), fatal, std::move(problem), std::move(remedy)});
}

void Examination::kernel()
{
	const std::string release = line(at("proc/sys/kernel/osrelease"));
	std::pair<int, int> version{};
	std::istringstream numbers(release);
	char dot = 0;

	if (numbers >> version.first >> dot >> version.second && version < oldest)
		add(true, "old-kernel",
		    "Linux " + release + " is too old: the modules are for 6.12 or newer",
		    "install a newer kernel (Debian 13: linux-image-arm64 of trixie-backports)");
}

void Examination::node(const fs::path &path)
{
	const std::string status = line(path / "status");
	const std::string name = path.filename();

	if (!read(path / "compatible").value_or("").starts_with(core_compatible))
		return;
	if (!status.empty() && status != "okay" && status != "ok") {
		add(true, "disabled", "the device tree disables " + name,
		    "apply the board's overlay, see docs/on-a-board.md");
		return;
	}
	cores_.push_back(path);
	if (!fs::exists(path / "iommus"))
		add(true, "no-iommu", "the device tree gives " + name + " no IOMMU",
		    "use mainline's device tree for the board, with the board's overlay");
}

void Examination::nodes()
{
	const std::vector<fs::path> found = named(at("proc/device-tree"), "npu@", "");

	for (const fs::path &path : found)
		node(path);
	if (cores_.empty() && findings_.empty())
		add(true, "no-node",
		    "the device tree has no NPU as mainline's trees of the RK3588 describe it",
		    "use a mainline kernel since 6.18 with its own device tree, not a vendor's "
		    "(Armbian: 'current' or 'edge')");
}

/// The probe of a core is deferred until its IOMMU exists.
void Examination::iommus()
{
	for (const fs::path &device : named(at("sys/bus/platform/devices"), "", ".npu"))
		if (!fs::exists(device / "iommu_group"))
			add(true, "no-iommu",
			    "the IOMMU of " + device.filename().string() + " is not there",
			    "the kernel needs CONFIG_ROCKCHIP_IOMMU, and the device tree an "
			    "enabled "
			    "iommu node for each core: apply the board's overlay");
}

bool Examination::module_built() const
{
	const fs::path modules = at("lib/modules") / line(at("proc/sys/kernel/osrelease"));

	for (const char *directory : {"updates/dkms", "extra", "updates"})
		if (!named(modules / directory, "npu_rk3588.ko", "").empty())
			return true;
	return false;
}

void Examination::module()
{
	if (fs::exists(at("sys/module/npu_rk3588")))
		return;
	if (!module_built()) {
		add(true, "no-module",
		    "npu_rk3588 has not been built for Linux " +
			    line(at("proc/sys/kernel/osrelease")),
		    "install that kernel's headers, then: dkms autoinstall");
		return;
	}
	for (const fs::path &path : named(at("sys/firmware/efi/efivars"), "SecureBoot-", "")) {
		const std::string value = read(path).value_or("");

		/* Four bytes of attributes come first. */
		if (value.size() > 4 && value[4] == 1) {
			add(true, "secure-boot",
			    "Secure Boot is on, and the kernel takes signed modules only",
			    "enrol the key that DKMS signs with: mokutil --import "
			    "/var/lib/dkms/mok.pub, and reboot");
			return;
		}
	}
	add(true, "not-loaded", "npu_rk3588 is built, but not loaded", "modprobe npu_rk3588");
}

void Examination::driver()
{
	for (const fs::path &device : named(at("sys/bus/platform/devices"), "", ".npu")) {
		std::error_code error;
		const std::string name =
			fs::read_symlink(device / "driver", error).filename().string();
		const std::string core = device.filename();

		if (name == our_driver)
			bound_ = true;
		else if (!name.empty())
			add(true, "other-driver",
			    std::string("the driver '").append(name).append("' has ").append(core),
			    "modprobe -r " + name + " && modprobe npu_rk3588");
		else if (fs::exists(at("sys/module/npu_rk3588")))
			add(true, "not-bound", "npu_rk3588 is loaded, but does not drive " + core,
			    "look for the reason in: dmesg | grep -i npu");
	}
}

void Examination::device()
{
	std::vector<fs::path> nodes;

	for (const fs::path &node : named(at("sys/class/accel"), "accel", ""))
		nodes.push_back(at("dev/accel") / node.filename());
	if (nodes.empty())
		for (const fs::path &node : named(at("sys/class/drm"), "renderD", ""))
			nodes.push_back(at("dev/dri") / node.filename());
	for (const fs::path &node : nodes) {
		const std::string name = fs::path("/") / fs::relative(node, system_.root);
		const int error = fs::exists(node) ? system_.open_device(node) : ENOENT;

		if (error == ENOENT)
			add(true, "no-device-file",
			    "the kernel has the device, but there is no " + name + " here",
			    "in a container, pass it in: --device " + name);
		else if (error == EACCES || error == EPERM)
			add(true, "no-access", "this user may not open " + name,
			    "as root: usermod -aG render USER, then log in again; the udev rule "
			    "of 'make install' gives the device to that group");
	}
}

void Examination::clock()
{
	if (!named(at("sys/class/devfreq"), "", ".npu").empty())
		return;
	add(false, "slow-clock",
	    "the clock stays at 200 MHz: what arithmetic limits takes up to 3.5 times as long as "
	    "at 700 MHz",
	    "apply the overlay rk3588-npu-clock after the board's (not proven on silicon, see "
	    "docs/on-a-board.md); the kernel needs CONFIG_DEVFREQ_GOV_SIMPLE_ONDEMAND");
}

void Examination::sram()
{
	if (std::ranges::any_of(cores_,
				[](const fs::path &core) { return fs::exists(core / "sram"); }))
		return;
	add(false, "no-sram", "the NPU has no on-chip memory",
	    "apply the board's overlay, see docs/on-a-board.md");
}

std::vector<Finding> Examination::run()
{
	kernel();
	nodes();
	if (fatal())
		return findings_;
	module();
	iommus();
	driver();
	if (bound_) {
		device();
		clock();
		sram();
	}
	return findings_;
}

} // namespace

std::vector<Finding> diagnose(const System &system)
{
	return Examination(system).run();
}

System this_system()
{
	return {"/", [](const fs::path &path) {
			const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);

			if (fd < 0)
				return errno;
			close(fd);
			return 0;
		}};
}

} // namespace npu::doctor
