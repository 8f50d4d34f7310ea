/* SPDX-License-Identifier: MIT */
/// A small harness that is driven like a test of IGT, so that igt_runner and
/// people who know IGT can run it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace igt
{

/// Exit statuses, as IGT has them.
inline constexpr int exit_pass = 0;
inline constexpr int exit_skip = 77;
inline constexpr int exit_invalid = 79;
inline constexpr int exit_fail = 98;

/// Thrown by a failing assertion, after it has told why.
struct Failure {
};

/// Thrown when the subtest cannot run here.
struct Skip {
};

/// Enters a subtest in the list; made by SUBTEST().
struct Registration {
	Registration(std::string_view name, void (*run)());
};

[[noreturn]] void fail(const char *file, int line, std::string_view expression,
		       std::string_view values);
[[noreturn]] void skip(std::string_view why);

/// Names the place in a loop that a failure belongs to, for as long as it lives.
class Note
{
public:
	explicit Note(std::string text);
	~Note();
	Note(const Note &) = delete;
	Note &operator=(const Note &) = delete;
};

/// Runs @run on @count threads; the first failure is the caller's.
void parallel(unsigned count, const std::function<void(unsigned)> &run);

/// The value 0, or the name of the errno that a call answers.
std::string errno_text(int result);

template <typename T>
std::string text(const T &value)
{
	if constexpr (std::is_enum_v<T>)
		return std::to_string(static_cast<long long>(value));
	else if constexpr (std::is_pointer_v<T>)
		return value ? "not null" : "null";
	else if constexpr (std::is_convertible_v<T, std::string>)
		return value;
	else
		return std::to_string(value);
}

template <typename A, typename B>
void check_eq(const char *file, int line, const char *expression, const A &actual,
	      const B &expected)
{
	bool equal;

	if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, bool> &&
		      !std::is_same_v<B, bool>)
		equal = std::cmp_equal(actual, expected);
	else
		equal = actual == expected;
	if (!equal)
		fail(file, line, expression, text(actual) + " != " + text(expected));
}

inline void check_err(const char *file, int line, const char *expression, int result, int error)
{
	if (result != -error)
		fail(file, line, expression,
		     errno_text(result) + " instead of " + errno_text(-error));
}

/// The main program: command line, list, processes.
int main(int argc, char **argv);

} // namespace igt

/// A subtest; underscores of the name become dashes.
#define SUBTEST(name)                                                                              \
	static void name();                                                                        \
	static const ::igt::Registration registration_##name(#name, name);                         \
	static void name()

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			::igt::fail(__FILE__, __LINE__, #condition, "false");                      \
	} while (false)

#define CHECK_EQ(actual, expected)                                                                 \
	::igt::check_eq(__FILE__, __LINE__, #actual " == " #expected, (actual), (expected))

/// @call answers 0 or a negative errno; @error is positive, or 0 for success.
#define CHECK_ERR(call, error) ::igt::check_err(__FILE__, __LINE__, #call, (call), (error))
#define CHECK_OK(call) CHECK_ERR(call, 0)
