/* SPDX-License-Identifier: MIT */
#include "module_parameter.h"

#include <cerrno>
#include <fstream>
#include <utility>

namespace npu::bench
{

Result<std::unique_ptr<ModuleParameter>> ModuleParameter::create(const std::string &module,
								 const std::string &name)
{
	const std::string path = "/sys/module/" + module + "/parameters/" + name;
	std::ifstream file(path);
	std::string before;

	if (!(file >> before))
		return fail(ENODEV,
			    "cannot read " + path + "; the benchmark needs the module " + module);
	return std::make_unique<ModuleParameter>(path, before);
}

ModuleParameter::ModuleParameter(std::string path, std::string before)
	: path_(std::move(path)), before_(std::move(before))
{
}

ModuleParameter::~ModuleParameter()
{
	std::ofstream(path_) << before_;
}

Result<void> ModuleParameter::set(const std::string &value) const
{
	std::ofstream file(path_);

	if (!(file << value << std::flush))
		return fail(EACCES, "cannot write " + path_ + "; are you root?");
	return {};
}

} // namespace npu::bench
