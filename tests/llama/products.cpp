/* SPDX-License-Identifier: MIT */
/*
 * Uses of the backend that llama.cpp's programs lack: fork(), failing allocations, and products
 * with a single matrix of any size. Built by tests/llama/prepare, for tests/llama/run.
 */
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <ggml-backend.h>
#include <ggml.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

/// Allocations of the backend up to the one that fails; 0 for none.
std::atomic<long> until_failure = 0;

/// Whether the code at @p address is the backend's, or of the library that allocates for it.
bool is_backend(const void *address)
{
	Dl_info info;

	if (!dladdr(address, &info) || !info.dli_fname)
		return false;
	const std::string_view name(info.dli_fname);
	return name.find("libggml-npu") != name.npos || name.find("libstdc++") != name.npos;
}

} // namespace

/* Replaces the one of the C++ library for all libraries of the process. */
void *operator new(std::size_t size)
{
	const bool counts = until_failure > 0 && is_backend(__builtin_return_address(0));
	void *memory = counts && --until_failure == 0 ? nullptr : std::malloc(size ? size : 1);

	if (!memory)
		throw std::bad_alloc();
	return memory;
}

void operator delete(void *memory) noexcept
{
	std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept
{
	std::free(memory);
}

namespace
{

/// Multiply-accumulates of the device for all open files of this process.
std::uint64_t device_macs()
{
	std::uint64_t macs = 0;

	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
		std::ifstream file(entry.path());
		std::string name;
		std::uint64_t value = 0;

		while (file >> name) {
			if (name == "npu-macs:" && file >> value)
				macs += value;
			file.clear();
			file.ignore(1000, '\n');
		}
	}
	return macs;
}

/// y = W x on the device NPU0, W of Q8_0.
class Product
{
public:
	Product(std::int64_t k, std::int64_t n) : row_(ggml_row_size(GGML_TYPE_Q8_0, k))
	{
		constexpr std::size_t tensors = 8;

		ggml_backend_dev_t device = ggml_backend_dev_by_name("NPU0");
		if (!device)
			throw std::runtime_error("no device NPU0");
		backend_.reset(ggml_backend_dev_init(device, nullptr));
		if (!backend_)
			throw std::runtime_error("no backend");
		context_.reset(ggml_init(
			{tensors * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true}));
		weights_ = ggml_new_tensor_2d(context_.get(), GGML_TYPE_Q8_0, k, n);
		x_ = ggml_new_tensor_1d(context_.get(), GGML_TYPE_F32, k);
		y_ = ggml_mul_mat(context_.get(), weights_, x_);
		graph_ = ggml_new_graph(context_.get());
		ggml_build_forward_expand(graph_, y_);
		buffer_.reset(ggml_backend_alloc_ctx_tensors(context_.get(), backend_.get()));
		if (!buffer_)
			throw std::runtime_error("no memory for the tensors");
		ggml_backend_buffer_set_usage(buffer_.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
		ggml_backend_buffer_clear(buffer_.get(), 0);
	}

	void set_x(const std::vector<float> &x)
	{
		ggml_backend_tensor_set(x_, x.data(), 0, x.size() * sizeof(float));
	}

	/// Sets a row; all others are 0.
	void set_row(std::int64_t row, const std::vector<float> &values)
	{
		std::vector<std::byte> blocks(row_);

		ggml_quantize_chunk(GGML_TYPE_Q8_0, values.data(), blocks.data(), 0, 1,
				    weights_->ne[0], nullptr);
		ggml_backend_tensor_set(weights_, blocks.data(),
					static_cast<std::size_t>(row) * row_, row_);
	}

	std::vector<float> compute()
	{
		std::vector<float> y(static_cast<std::size_t>(weights_->ne[1]));

		if (ggml_backend_graph_compute(backend_.get(), graph_) != GGML_STATUS_SUCCESS)
			throw std::runtime_error("the graph could not be computed");
		ggml_backend_tensor_get(y_, y.data(), 0, y.size() * sizeof(float));
		return y;
	}

private:
	template <auto Free>
	struct Call {
		void operator()(auto *object) const { Free(object); }
	};

	std::size_t row_;
	std::unique_ptr<std::remove_pointer_t<ggml_backend_t>, Call<ggml_backend_free>> backend_;
	std::unique_ptr<ggml_context, Call<ggml_free>> context_;
	std::unique_ptr<std::remove_pointer_t<ggml_backend_buffer_t>,
			Call<ggml_backend_buffer_free>>
		buffer_;
	ggml_tensor *weights_ = nullptr;
	ggml_tensor *x_ = nullptr;
	ggml_tensor *y_ = nullptr;
	ggml_cgraph *graph_ = nullptr;
};

std::vector<float> random_row(std::size_t size, unsigned int seed)
{
	std::mt19937 random(seed);
	std::uniform_real_distribution<float> one(-1, 1);
	std::vector<float> row(size);

	for (float &value : row)
		value = one(random);
	return row;
}

bool close(const std::vector<float> &a, const std::vector<float> &b)
{
	double error = 0;
	double sum = 0;

	for (std::size_t i = 0; i < a.size(); i++) {
		error += std::pow(a[i] - b[i], 2);
		sum += std::pow(b[i], 2);
	}
	return error <= 1e-3 * sum;
}

/// After fork(), the child computes on the CPU, and the parent can still use the device.
bool in_child()
{
	constexpr std::int64_t k = 256;
	constexpr std::int64_t n = 512;
	Product product(k, n);

	product.set_x(random_row(k, 1));
	for (std::int64_t row = 0; row < n; row++)
		product.set_row(row, random_row(k, static_cast<unsigned int>(row)));
	const auto first = product.compute();
	const std::uint64_t before = device_macs();
	const pid_t child = fork();
	if (!child) {
		const auto y = product.compute();
		const bool same = close(y, first);
		const bool idle = device_macs() == before;

		std::cout << "child: " << (same ? "same" : "other") << " result, device "
			  << (idle ? "idle" : "used") << std::endl;
		std::exit(same && idle ? 0 : 1);
	}
	int status = 0;
	waitpid(child, &status, 0);
	const bool same = product.compute() == first;
	const bool used = before && device_macs() > before;
	std::cout << "parent: " << (same ? "same" : "other") << " result, device "
		  << (used ? "used" : "idle") << '\n';
	return status == 0 && same && used;
}

/// Each allocation of the backend fails once: the result is right, or there is none.
bool short_of_memory()
{
	constexpr std::int64_t k = 256;
	constexpr std::int64_t n = 512;
	const auto x = random_row(k, 1);
	const auto row = random_row(k, 2);
	std::vector<float> expected;
	int right = 0;
	int ended = 0;

	for (long fails = 0;; fails++) {
		until_failure = fails;
		try {
			Product product(k, n);

			product.set_x(x);
			product.set_row(n / 2, row);
			const auto y = product.compute();
			const bool reached = until_failure == 0;
			until_failure = 0;
			if (expected.empty())
				expected = y;
			if (!close(y, expected))
				break;
			if (!reached) {
				std::cout << fails - 1 << " allocations: " << right
					  << " right results, " << ended << " failed\n";
				return right && ended;
			}
			right += fails > 0;
		} catch (const std::runtime_error &) {
			/* No allocation has failed, so something else has. */
			if (!fails || until_failure)
				throw;
			ended++;
		}
	}
	std::cout << "a wrong result\n";
	return false;
}

/// A matrix of @p n rows, of which some have the same numbers and all others are 0.
bool rows_of(std::int64_t k, std::int64_t n)
{
	Product product(k, n);
	const auto x = random_row(static_cast<std::size_t>(k), 1);
	std::vector<float> expected(static_cast<std::size_t>(n));

	product.set_x(x);
	for (std::int64_t i = 0; i < 1000; i++) {
		const std::int64_t row = i * (n - 1) / 999;
		const auto values =
			random_row(static_cast<std::size_t>(k), static_cast<unsigned int>(i));
		double sum = 0;

		for (std::size_t j = 0; j < values.size(); j++)
			sum += double{values[j]} * double{x[j]};
		product.set_row(row, values);
		expected[static_cast<std::size_t>(row)] = static_cast<float>(sum);
	}
	const bool right = close(product.compute(), expected);
	std::cout << n << " rows: " << (right ? "right" : "wrong") << ", device macs "
		  << device_macs() << '\n';
	return right && device_macs() == static_cast<std::uint64_t>(k * n);
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";

	if (what != "fork" && what != "short" && !(what == "rows" && argc == 4)) {
		std::cerr << "Usage: products fork | products short | products rows K N\n"
			     "Multiplies on the backend that GGML_BACKEND_PATH names: in a child "
			     "too, with each allocation\nof the backend failing once, or by a "
			     "matrix of N rows of K numbers.\n"
			     "Exit status: 0 all is right, 1 it is not, 2 wrong usage.\n"
			     "Example: products rows 4096 600000\n";
		return what == "--help" ? 0 : 2;
	}
	try {
		ggml_backend_load_all();
		const bool right = what == "fork" ? in_child()
				   : what == "short"
					   ? short_of_memory()
					   : rows_of(std::stoll(argv[2]), std::stoll(argv[3]));
		return right ? 0 : 1;
	} catch (const std::exception &error) {
		std::cerr << "products: " << error.what() << '\n';
		return 1;
	}
}
