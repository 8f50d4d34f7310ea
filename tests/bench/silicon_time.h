/* SPDX-License-Identifier: MIT */
/*
 * Times of the model for published measurements, how far they are off, and the fit of
 * the model's parameters.
 */
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <model/npu_model.h>

#include "silicon.h"

namespace silicon
{

/// What the model of the device, and of what is around it, is told.
struct Parameters {
	npu_model_params device = npu_model_params_rk3588;
	/// System memory of boards with LPDDR5, bytes a microsecond. Few rows depend on it.
	double lpddr5_bytes_per_us = 28000;
	/// Microseconds of a job, beside the device's.
	double vendor_us = 48.2;
	double rocket_us = 51;
	double pinned_us = 24;
};

/// A parameter by its name.
struct Value {
	std::string name;
	double value = 0;
};

std::vector<Value> values(const Parameters &parameters);

/// The model's figure for @p row, in the row's unit.
/// \throw std::runtime_error the model did not finish
double modelled(const Parameters &parameters, const Row &row);

/// Whether parameters may be fitted to the row with that index; the others judge them.
constexpr bool fitted(std::size_t index)
{
	return index % 2 == 0;
}

/// The parameters for which the fitted rows are nearest to silicon, found from @p start
/// on by changing one at a time.
Parameters fit(Parameters start, std::span<const Row> rows);

/// How far off rows are that were not fitted.
struct Verdict {
	/// Half of them are nearer, as a share of silicon's figure.
	double median_error = 0;
	/// Nine of ten are within this factor.
	double p90_factor = 0;
};

/// The factor, at least 1, between a row and what the model makes of it.
double factor(double model, const Row &row);

/// \pre model has a figure for each row
Verdict judge(std::span<const Row> rows, std::span<const double> model);

} // namespace silicon
