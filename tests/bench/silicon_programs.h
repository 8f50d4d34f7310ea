/* SPDX-License-Identifier: MIT */
/*
 * Operations of published measurements as command streams, with the schedules that their authors
 * state or that follow from their figures.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <rknn/convolution.h>
#include <rknn/type.h>

#include "silicon.h"

namespace silicon
{

using npu::rknn::Type;

/// A convolution with kernels of @p taps pixels along a line of @p pixels, as encoders of
/// speech have them.
struct LineConvolution {
	std::uint32_t pixels = 0;
	std::uint32_t channels = 0;
	std::uint32_t kernels = 0;
	std::uint32_t taps = 1;
	std::uint32_t stride = 1;
	bool residual = false;
	/// Followed by GELU in passes of its own.
	bool gelu = false;
};

/// Feature banks of the vendor's convolutions. Inferred: two layers take the time of streaming all
/// weights once per 96 KiB of features, at the bandwidth of other layers.
constexpr std::uint32_t vendor_data_banks = 3;

/// Half of the buffer for features, half for weights.
constexpr std::uint32_t half_data_banks = 6;

Program convolution(const LineConvolution &convolution, std::uint32_t cores);

/// Sums of two maps of @p elements fp16, and copies of one.
Program sum(std::uint32_t elements, std::uint32_t cores);
Program copy(std::uint32_t elements, std::uint32_t cores);

/// int8 [m,k] x [k,n] in one job, with @p data_banks banks for features.
Program product(std::uint32_t m, std::uint32_t k, std::uint32_t n, std::uint32_t cores,
		std::uint32_t data_banks);
/// A product as planned by the engine.
Program planned_product(Type type, std::uint32_t m, std::uint32_t k, std::uint32_t n,
			std::uint32_t cores);

/// fp16 [m,k] x [k,n] in tiles, each a task that loads all its operands.
struct Tiling {
	std::uint32_t m = 0;
	std::uint32_t n = 0;
	std::uint32_t k = 0;
};
Program tiled_product(std::uint32_t m, std::uint32_t k, std::uint32_t n, const Tiling &tiling);

/// Several streams of int8 weights, each [k,n] with one row of features, in one job.
Program streams(std::uint32_t count, std::uint32_t k, std::uint32_t n);

/// The sizes of a language model.
struct LanguageModel {
	std::uint32_t layers = 0;
	std::uint32_t width = 0;
	std::uint32_t query = 0;
	std::uint32_t key = 0;
	std::uint32_t feed_forward = 0;
	std::uint32_t vocabulary = 0;
};

/// A token: four jobs per layer, for query with key and value, output, gate with up, and down; and
/// the vocabulary.
Program decode(const LanguageModel &model, std::uint32_t cores);

/// MobileNetV1 1.0 of 224 x 224 pixels, int8, in one job.
Program mobilenet_v1(std::uint32_t cores);

} // namespace silicon
