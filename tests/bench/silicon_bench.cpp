/* SPDX-License-Identifier: MIT */
/*
 * The timing model against published measurements of silicon.
 */
#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "silicon.h"
#include "silicon_time.h"

namespace
{

using silicon::Parameters;
using silicon::Row;

constexpr double explained_factor = 1.5;

void print(const Row &row, double model, bool fitted)
{
	std::printf("%5u %5u %11.2f %11.2f %6.2f%s  %s\n", row.clock_mhz, row.cores, model,
		    row.silicon, model / row.silicon, fitted ? "*" : " ", row.what.c_str());
	std::printf("%43s  %s\n", "", row.source);
	if (silicon::factor(model, row) > explained_factor)
		std::printf("%43s  %s\n", "", row.explanation);
}

nlohmann::ordered_json record(const Row &row, double model, bool fitted)
{
	const char *unit = row.baseline ? "ratio" : "us";
	nlohmann::ordered_json json{{"what", row.what},
				    {"clock_mhz", row.clock_mhz},
				    {"cores", row.cores},
				    {std::string("silicon_") + unit, row.silicon},
				    {std::string("model_") + unit, model},
				    {"source", row.source},
				    {"fitted", fitted}};

	if (silicon::factor(model, row) > explained_factor)
		json["explanation"] = row.explanation;
	return json;
}

nlohmann::ordered_json compare(const Parameters &parameters)
{
	const std::vector<Row> rows = silicon::rows();
	std::vector<double> model;
	nlohmann::ordered_json list;

	std::printf("%5s %5s %11s %11s %6s\n", "MHz", "cores", "model us", "silicon us", "ratio");
	for (std::size_t i = 0; i < rows.size(); i++) {
		model.push_back(silicon::modelled(parameters, rows[i]));
		print(rows[i], model.back(), silicon::fitted(i));
		list.push_back(record(rows[i], model.back(), silicon::fitted(i)));
	}
	const silicon::Verdict verdict = silicon::judge(rows, model);
	std::printf("* is a row that parameters were fitted to. Of the others half are within\n"
		    "%.1f %%, and nine of ten within a factor %.2f.\n",
		    100 * verdict.median_error, verdict.p90_factor);
	std::printf("Published, but no row:\n");
	for (const silicon::Omission &omission : silicon::omissions())
		std::printf("  %s: %s\n", omission.what, omission.why);
	return {{"rows", list},
		{"median_error", verdict.median_error},
		{"p90_factor", verdict.p90_factor}};
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app{"The timing model against published measurements of RK3588 boards.\n"
		     "Example: silicon-bench --out silicon.json"};
	std::string out;
	bool fit = false;

	app.add_option("--out", out, "file for the figures as JSON");
	app.add_flag("--fit", fit,
		     "fit the parameters to every second row, and print them, before comparing");
	CLI11_PARSE(app, argc, argv);
	try {
		Parameters parameters;

		if (fit) {
			parameters = silicon::fit(parameters, silicon::rows());
			for (const auto &[name, value] : silicon::values(parameters))
				std::printf("%-20s %8.1f\n", name.c_str(), value);
		}
		const nlohmann::ordered_json figures = compare(parameters);
		if (out.empty())
			return 0;
		std::ofstream file(out);
		file << figures.dump(2) << '\n';
		if (!file.flush())
			throw std::runtime_error("cannot write " + out);
	} catch (const std::exception &error) {
		std::cerr << "silicon-bench: " << error.what() << '\n';
		return 1;
	}
	return 0;
}
