/* SPDX-License-Identifier: MIT */
/*
 * npu-bench: measures speed and accuracy.
 */
#include "bench.h"
#include "tool.h"

int main(int argc, char **argv)
{
	CLI::App app("Benchmarks of an NPU and of the engine on it.", "npu-bench");
	npu::bench::MatmulOptions matmul;
	npu::bench::AccuracyOptions accuracy;
	npu::bench::SramOptions sram;
	npu::bench::SubmitOptions submit;
	npu::bench::RocketOptions rocket;
	npu::bench::QosOptions qos;

	app.require_subcommand(1);
	app.footer("Example: npu-bench matmul --dtype int8 --json\n\n"
		   "Exit status: 0 done, 1 it failed, 2 wrong usage, 3 no device or no access.");

	CLI::App *m = app.add_subcommand(
		"matmul", "Device time of the matrix products of real language models.");
	m->add_option("--device", matmul.device, "device file [the first NPU found]");
	m->add_option("--dtype", matmul.dtype, "int8 or fp16")
		->check(CLI::IsMember({"int8", "fp16"}))
		->capture_default_str();
	m->add_option("--model", matmul.model, "only models whose name contains this");
	m->add_flag("--json", matmul.json, "print JSON");
	m->footer("Example: npu-bench matmul --model Qwen2.5-0.5B");

	CLI::App *a = app.add_subcommand(
		"accuracy", "Perplexity, logits and greedy text of each precision against float.");
	a->add_option("--device", accuracy.device, "device file [the first NPU found]");
	a->add_option("--model", accuracy.models, "GGUF file; may be given several times")
		->required();
	a->add_option("--text", accuracy.texts, "held-back text, one for each model")->required();
	a->add_option("--bytes", accuracy.bytes, "bytes of text to take")
		->check(CLI::Range(16, 1 << 24))
		->capture_default_str();
	a->add_option("--tokens", accuracy.tokens, "greedy tokens to compare")
		->check(CLI::Range(1, 100000))
		->capture_default_str();
	a->add_flag("--json", accuracy.json, "print JSON");
	a->footer("Example: npu-bench accuracy --model m.gguf --text t.txt --json");

	CLI::App *c = app.add_subcommand(
		"sram", "Bytes and modelled time of a token with and without on-chip memory.");
	c->add_option("--device", sram.device, "device file [the first NPU found]");
	c->add_option("--model", sram.model, "only models whose name contains this");
	c->add_option("--loads", sram.loads,
		      "percent of the bandwidth of system memory that others take")
		->check(CLI::Range(0, 95))
		->capture_default_str();
	c->add_option("--bytes", sram.bytes,
		      "also prefer whatever fits into so many bytes, gain or not");
	c->add_flag("--json", sram.json, "print JSON");
	c->add_option("--out", sram.out, "also write the JSON to this file");
	c->footer("Needs npu_virt, and root to set its parameter load_percent. Fails if the\n"
		  "default is slower than without on-chip memory.\n"
		  "Example: npu-bench sram --json --loads 0 80");

	CLI::App *s = app.add_subcommand(
		"submit",
		"What submitting and waiting cost: prepared jobs against rocket's calls.");
	s->add_option("--device", submit.device, "device file [the first NPU found]");
	s->add_option("--only", submit.only, "only rows whose PATH/MODE/CLIENTS begins with this");
	s->add_option("--rounds", submit.rounds, "measurements of each row")
		->check(CLI::Range(1, 10000))
		->capture_default_str();
	s->add_option("--milliseconds", submit.milliseconds, "time of a measurement")
		->check(CLI::Range(1, 60000))
		->capture_default_str();
	s->add_flag("--json", submit.json, "print JSON");
	CLI::Option *waiters =
		s->add_flag("--waiters", submit.waiters,
			    "measure instead how long the end of a job has interrupts off while "
			    "threads wait for it");
	s->add_option("--threads", submit.threads, "numbers of threads for --waiters")
		->check(CLI::Range(1, 30000))
		->needs(waiters)
		->capture_default_str();
	s->add_flag("--create", submit.create,
		    "measure instead what JOB_CREATE costs for jobs of 1, 16, 256 and 4095 tasks")
		->excludes(waiters);
	s->add_option("--out", submit.out, "also write the JSON to this file");
	s->footer("The device should do nothing but answer: load npu_virt with mode=null.\n"
		  "Rounds go over all rows in turn, and medians are reported. A row has\n"
		  "  PATH     prepared: jobs made once; rocket: streams in buffers\n"
		  "  MODE     single, batch16, batch64: the queue is kept busy, so many jobs a\n"
		  "           call; sync_wait: each job is awaited, with JOB_WAIT or PREP_BO;\n"
		  "           sync_page: on the completion page\n"
		  "  CLIENTS  1 or 4, each with a file of its own\n"
		  "and tells the time from first to last job, and the time inside the calls that\n"
		  "submit (the median call), both divided by the jobs.\n"
		  "--waiters needs root, for the driver's files gate and longest in debugfs. Its\n"
		  "rows have the longest and the median of all rounds, in nanoseconds;\n"
		  "--milliseconds and --only do not matter.\n"
		  "--create makes and destroys jobs of one lane; --only does not matter.\n"
		  "Example: npu-bench submit --json --only prepared/batch64\n"
		  "Example: npu-bench submit --waiters --rounds 5");

	CLI::App *r = app.add_subcommand(
		"rocket",
		"What jobs cost on a register-level board: this driver against mainline's.");
	r->add_option("--device", rocket.device, "device file of this driver [the first found]");
	r->add_option("--only", rocket.only,
		      "only rows whose DRIVER/FILES/LANES/TASKS/BATCH begins with this");
	r->add_option("--rounds", rocket.rounds, "measurements of each row; 0 only prints --out")
		->check(CLI::Range(0, 10000))
		->capture_default_str();
	r->add_option("--milliseconds", rocket.milliseconds, "time of a measurement")
		->check(CLI::Range(1, 60000))
		->capture_default_str();
	r->add_flag("--json", rocket.json, "print JSON");
	r->add_option("--out", rocket.out, "add to the JSON in this file");
	r->footer(
		"Measures the driver that is loaded, as root on the board of tests/board with\n"
		"mode=null. Loaded by turns, both drivers share a table with --out, of medians\n"
		"over all rounds. A row has\n"
		"  driver    rocket: mainline's; compat: its calls on this driver; changing: with\n"
		"            streams that are new each time; prepared: jobs made once\n"
		"  files, lanes (of a job), tasks (of a lane), batch (jobs of a call)\n"
		"and jobs a second, and for each job interrupts, IOMMU commands, register\n"
		"accesses, context switches of the whole machine, and starts of each core.\n"
		"Example: npu-bench rocket --out rocket.json");

	CLI::App *q = app.add_subcommand(
		"qos", "Added latency, shares and deadlines of clients that share the device.");
	q->add_option("--device", qos.device, "device file [the first NPU found]");
	q->add_option("--clock", qos.clock, "time to measure in: model or host")
		->check(CLI::IsMember({"model", "host"}))
		->capture_default_str();
	q->add_option("--milliseconds", qos.milliseconds, "time of a run")
		->check(CLI::Range(100, 600000))
		->capture_default_str();
	q->add_flag("--json", qos.json, "print JSON");
	q->add_option("--out", qos.out, "also write the JSON to this file");
	q->add_option("--plot", qos.plot,
		      "also write qos-latency.gp and qos-timeline.gp, for gnuplot, there")
		->check(CLI::ExistingDirectory);
	q->footer(
		"Runs, as root, a vision job of 2 ms at 30 Hz and an audio job of 0.3 ms at 100 "
		"Hz\n"
		"beside 1, 2 and 4 clients of prefill jobs of 200 ms, first come first served and\n"
		"with hints; then shares of three clients, and deadlines. Added latency is what a\n"
		"job takes from its submit beyond its own device time. Times are those of the\n"
		"model, the same on every host, if npu_virt is loaded with mode=time clock=model,\n"
		"or the host's (--clock host), with mode=time.\n"
		"Example: npu-bench qos --json --milliseconds 5000");

	return npu::tool::run(app, argc, argv, [&] {
		if (q->parsed())
			return npu::bench::qos_benchmark(qos);
		if (m->parsed())
			return npu::bench::matmul(matmul);
		if (r->parsed())
			return npu::bench::rocket(rocket);
		if (c->parsed())
			return npu::bench::sram(sram);
		return s->parsed() ? npu::bench::submit(submit) : npu::bench::accuracy(accuracy);
	});
}
