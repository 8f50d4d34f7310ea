/* SPDX-License-Identifier: MIT */
/*
 * The timing model is as near to published measurements as it is said to be.
 */
#include <gtest/gtest.h>

#include "silicon_time.h"

namespace silicon
{
namespace
{

struct Compared {
	std::vector<Row> rows = silicon::rows();
	std::vector<double> model;

	explicit Compared(const Parameters &parameters = {})
	{
		for (const Row &row : rows)
			model.push_back(modelled(parameters, row));
	}
};

TEST(Silicon, RowsThatWereNotFittedAreNear)
{
	const Compared compared;
	const Verdict verdict = judge(compared.rows, compared.model);

	EXPECT_GE(compared.rows.size(), 30u);
	EXPECT_LE(verdict.median_error, 0.2);
	EXPECT_LE(verdict.p90_factor, 1.5);
}

TEST(Silicon, RowsFarOffAreExplained)
{
	const Compared compared;

	for (std::size_t i = 0; i < compared.rows.size(); i++) {
		const Row &row = compared.rows[i];

		SCOPED_TRACE(row.what);
		EXPECT_NE(row.source, nullptr);
		EXPECT_EQ(factor(compared.model[i], row) > 1.5, row.explanation != nullptr);
	}
}

/* The committed parameters are those that the fit finds: a step of any makes the fitted
 * rows worse, so fitting again changes none by more than rounding. */
TEST(Silicon, ParametersAreFitted)
{
	const std::vector<Row> rows = silicon::rows();
	const std::vector<Value> committed = values({});
	const std::vector<Value> again = values(fit({}, rows));

	for (std::size_t i = 0; i < committed.size(); i++)
		EXPECT_NEAR(again[i].value / committed[i].value, 1, 0.03) << committed[i].name;
}

/* A model that is wrong by a factor is not within one. */
TEST(Silicon, AWrongModelIsFarOff)
{
	Parameters slow;

	slow.device.core_bytes_per_us /= 3;
	slow.device.total_bytes_per_us /= 3;
	slow.device.post_bytes_per_us /= 3;
	const Compared compared(slow);
	const Verdict verdict = judge(compared.rows, compared.model);

	EXPECT_GT(verdict.median_error, 0.2);
	EXPECT_GT(verdict.p90_factor, 1.5);
}

} // namespace
} // namespace silicon
