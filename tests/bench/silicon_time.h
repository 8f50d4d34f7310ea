/* SPDX-License-Identifier: MIT */
/*
 * Modelled times of published measurements, their errors, and the fit of the model's parameters.
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

/// Parameters of the device's model and of the system around it.
struct Parameters {
	npu_model_params device = npu_model_params_rk3588;
	/// System memory of boards with LPDDR5, bytes a microsecond. Few rows depend on it.
	double lpddr5_bytes_per_us = 28000;
	/// Overhead of a job in microseconds.
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

/// Whether to fit parameters to the row with that index; the other rows validate them.
constexpr bool fitted(std::size_t index)
{
	return index % 2 == 0;
}

/// Fits the parameters to the silicon's figures, starting at @p start, by changing one at a time.
Parameters fit(Parameters start, std::span<const Row> rows);

/// Errors of the rows that were not fitted.
struct Verdict {
	/// Median of the error, relative to silicon's figure.
	double median_error = 0;
	/// 90th percentile of the factor.
	double p90_factor = 0;
};

/// The factor, at least 1, between a row's figure and the model's.
double factor(double model, const Row &row);

/// \pre model has a figure for each row
Verdict judge(std::span<const Row> rows, std::span<const double> model);

} // namespace silicon
