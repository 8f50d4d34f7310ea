/* SPDX-License-Identifier: MIT */
#include "npu/error.h"

#include <system_error>

namespace npu
{

std::unexpected<Error> fail(int code, std::string what)
{
	what += ": ";
	what += std::generic_category().message(code);
	return std::unexpected(Error{code, std::move(what)});
}

} // namespace npu
