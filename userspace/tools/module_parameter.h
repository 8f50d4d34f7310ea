/* SPDX-License-Identifier: MIT */
/*
 * A module parameter that a benchmark changes temporarily.
 */
#pragma once

#include <memory>
#include <string>

#include <npu/error.h>

namespace npu::bench
{

/// Restores the parameter's value in its destructor.
class ModuleParameter
{
public:
	/// \retval ENODEV the module is not loaded, or has no such parameter
	static Result<std::unique_ptr<ModuleParameter>> create(const std::string &module,
							       const std::string &name);
	ModuleParameter(std::string path, std::string before);
	~ModuleParameter();
	ModuleParameter(const ModuleParameter &) = delete;
	ModuleParameter &operator=(const ModuleParameter &) = delete;

	/// \retval EACCES no permission
	Result<void> set(const std::string &value) const;

private:
	std::string path_;
	std::string before_;
};

} // namespace npu::bench
