/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functional and timing model of one RKNN core of the RK3588.
 *
 * The model is driven like the hardware: through the registers of its window,
 * a bus that it masters, and an interrupt line that its host polls. It computes
 * with integers only, so that it gives the same bits in the kernel and in user
 * space, and calls nothing but its bus.
 *
 * The model covers command fetch, chains, ping-pong register groups and every block
 * of the core, one or a few files each: the convolution buffer and both feature
 * address modes (cna), direct, depthwise and transposed convolution of all
 * precisions (core, mac), post-processing (dpu, lut, out) with operands from
 * memory (rdma), pooling (ppu) and time (time). ASSUMED.md lists each behaviour
 * with the evidence for it. A setting that is not modelled ends the run
 * with %NPU_MODEL_UNSUPPORTED and names the register, so that no wrong result
 * passes for a right one.
 */
#ifndef NPU_MODEL_H
#define NPU_MODEL_H

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct npu_model_bus - the bus that a core masters
 */
struct npu_model_bus {
	/**
	 * @read: Read @len bytes at device address @addr. Returns 0, or not 0
	 * if the address is not mapped or the run is to be abandoned. With @dst
	 * 0 only say whether they could be read.
	 */
	int (*read)(void *host, __u32 addr, void *dst, __u32 len);
	/**
	 * @write: Write @len bytes at device address @addr. Returns as @read. With
	 * @src 0 only say whether they could be written.
	 */
	int (*write)(void *host, __u32 addr, const void *src, __u32 len);
	/** @host: Handed to @read and @write. */
	void *host;
};

/**
 * struct npu_model_params - parameters of the timing model
 *
 * Of a task's times on the bus of the core, in system memory and in on-chip
 * memory the longest counts. It overlaps with the compute time, but not fully:
 * together they take the root of the sum of their squares. A fixed start-up time is
 * added. The defaults are npu_model_params_rk3588.
 */
struct npu_model_params {
	/** @clock_hz: Clock of the core in Hz. */
	__u64 clock_hz;
	/** @core_bytes_per_us: Bus bandwidth one core can draw. */
	__u32 core_bytes_per_us;
	/**
	 * @post_bytes_per_us: Bus bandwidth that the post-processing and pooling
	 * engines of one core can draw; 0 is @core_bytes_per_us.
	 */
	__u32 post_bytes_per_us;
	/** @total_bytes_per_us: Bandwidth of system memory that all cores share. */
	__u32 total_bytes_per_us;
	/** @load_permille: How much of it others take, below 1000. */
	__u32 load_permille;
	/** @sram_bytes_per_us: Bandwidth of on-chip memory that they share. */
	__u32 sram_bytes_per_us;
	/** @task_ns: Start-up and drain of a task. */
	__u32 task_ns;
	/**
	 * @timing_only: Of operands and results only the addresses are checked and
	 * the bytes counted: nothing is read, computed or written.
	 */
	__u8 timing_only;
};

extern const struct npu_model_params npu_model_params_rk3588;

/**
 * enum npu_model_status - how a run ended
 */
enum npu_model_status {
	/** @NPU_MODEL_DONE: All tasks ran; the interrupt is raised. */
	NPU_MODEL_DONE,
	/** @NPU_MODEL_HUNG: The hardware would wait for ever; no interrupt. */
	NPU_MODEL_HUNG,
	/** @NPU_MODEL_FAULT: The bus refused an address; no interrupt. */
	NPU_MODEL_FAULT,
	/** @NPU_MODEL_UNSUPPORTED: The program uses what is not modelled. */
	NPU_MODEL_UNSUPPORTED,
};

/**
 * struct npu_model_stats - what a core has done since npu_model_init()
 */
struct npu_model_stats {
	/** @tasks: Tasks completed. */
	__u64 tasks;
	/** @macs: Multiply-accumulates of these tasks. */
	__u64 macs;
	/** @read_bytes: Bytes read over the bus. */
	__u64 read_bytes;
	/** @written_bytes: Bytes written over the bus. */
	__u64 written_bytes;
	/** @sram_bytes: Bytes of both that were on the chip. */
	__u64 sram_bytes;
	/** @busy_ns: Modelled time that these tasks took. */
	__u64 busy_ns;
	/** @start_ns: Of that, start-up and drain of tasks. */
	__u64 start_ns;
	/**
	 * @memory_ns: Of that, what the array, or post-processing without it, waited
	 * for system memory and the bus.
	 */
	__u64 memory_ns;
	/** @sram_ns: Of that, what it waited for on-chip memory. */
	__u64 sram_ns;
};

/* Words of the register file of one block: offsets 0x000 to 0x1ff. */
#define NPU_MODEL_BLOCK_WORDS	128
/* Output positions that are computed at a time. */
#define NPU_MODEL_POSITIONS	256
/* Output channels side by side: kernels of int4, channels of depthwise int8. */
#define NPU_MODEL_CHANNELS	64
/* Channels that the array takes at a time. */
#define NPU_MODEL_LANES		32
/* Entries of one table of the LUT. */
#define NPU_MODEL_LUT_ENTRIES	513
/* Bytes of the longest pixel pattern, 64 channels of up to 4 bytes. */
#define NPU_MODEL_PATTERN	256

/**
 * struct npu_model_slice - up to 32 floats as integers with one exponent
 */
struct npu_model_slice {
	/** @value: lane i is value[i] * 2^exponent; 0 beyond the last lane. */
	__s32 value[NPU_MODEL_LANES];
	/** @bits: The numbers as they are. */
	__u32 bits[NPU_MODEL_LANES];
	/** @exponent: The common exponent. */
	__s32 exponent;
	/** @range: Bits that the exponents differ by; 99 if @value is not valid. */
	__u32 range;
	/** @special: There is an infinity or a NaN. */
	__u32 special;
};

/**
 * enum npu_model_channel - operands that each output channel has one of
 */
enum npu_model_channel {
	/** @NPU_MODEL_BS_ALU: Bias. */
	NPU_MODEL_BS_ALU,
	/** @NPU_MODEL_BS_MUL: Factor of BS. */
	NPU_MODEL_BS_MUL,
	/** @NPU_MODEL_CPEND: Factor of the sum of inputs. */
	NPU_MODEL_CPEND,
	/** @NPU_MODEL_BN_ALU: Summand of BN. */
	NPU_MODEL_BN_ALU,
	/** @NPU_MODEL_BN_MUL: Factor of BN. */
	NPU_MODEL_BN_MUL,
	/** @NPU_MODEL_EW: Elementwise operand, if it is one a channel. */
	NPU_MODEL_EW,
	/** @NPU_MODEL_CHANNEL_OPERANDS: How many there are. */
	NPU_MODEL_CHANNEL_OPERANDS,
};

/**
 * enum npu_model_block - blocks with ping-pong register groups
 */
enum npu_model_block {
	/** @NPU_MODEL_CNA: Feature and weight loading. */
	NPU_MODEL_CNA,
	/** @NPU_MODEL_CORE: Multiply-accumulate array. */
	NPU_MODEL_CORE,
	/** @NPU_MODEL_DPU: Post-processing and write-back. */
	NPU_MODEL_DPU,
	/** @NPU_MODEL_RDMA: Operands of the post-processing. */
	NPU_MODEL_RDMA,
	/** @NPU_MODEL_PPU: Pooling. */
	NPU_MODEL_PPU,
	/** @NPU_MODEL_PPU_RDMA: Input of the pooling. */
	NPU_MODEL_PPU_RDMA,
	/** @NPU_MODEL_BLOCKS: Number of blocks. */
	NPU_MODEL_BLOCKS,
};

/**
 * struct npu_model_core - one core
 *
 * Large (about 0.75 MiB); the host allocates it.
 */
struct npu_model_core {
	/** @stats: What it has done. */
	struct npu_model_stats stats;
	/** @active_cores: Cores that share the bus now; set by the host. */
	__u32 active_cores;
	/**
	 * @fp16_lane0: Bits that are inverted in results of fp16 convolutions, of
	 * output channels that are multiples of 16. Set by the host, which makes
	 * cores differ as those of the chip do; 0 after npu_model_init().
	 */
	__u32 fp16_lane0;
	/**
	 * @sram_bytes: Bytes of the present task that were on the chip; the bus
	 * adds them.
	 */
	__u64 sram_bytes;
	/** @error_reg: Register that explains a run that did not end well. */
	__u32 error_reg;
	/** @error_value: Its value. */
	__u32 error_value;
	/** @fault_addr: Address that the bus refused. */
	__u32 fault_addr;

	/* private: the rest is the model's own. */
	struct npu_model_bus bus;
	struct npu_model_params params;
	__u32 index;

	/* PC */
	__u32 pc_base;
	__u32 pc_amounts;
	__u32 pc_task_con;
	__u32 int_mask;
	__u32 int_raw;
	__u8 started;
	__u8 redirected;

	/* Two groups of registers a block, the pointer, and which one runs. */
	__u32 regs[NPU_MODEL_BLOCKS][2][NPU_MODEL_BLOCK_WORDS];
	__u32 s_pointer[NPU_MODEL_BLOCKS];
	__u8 group[NPU_MODEL_BLOCKS];

	/* Bytes over the bus in the task that runs. */
	__u64 task_bytes;

	__u64 fetch[2 * 0x400];
	/* Tables LE and LO, and where the next entry goes. */
	__s16 lut[2][NPU_MODEL_LUT_ENTRIES];
	__u32 lut_access;

	struct npu_model_slice slices[NPU_MODEL_CHANNELS];
	/* Pixels outside of the image, and between those of a deconvolution. */
	__u8 pad[NPU_MODEL_PATTERN];
	__u8 zero[NPU_MODEL_PATTERN];
	/* Pixels of one tap and the kernels' weights, spread to one lane a byte. */
	__u8 gather[NPU_MODEL_POSITIONS * NPU_MODEL_LANES * 2];
	__s8 spread[NPU_MODEL_CHANNELS * NPU_MODEL_LANES];
	__u32 channel[NPU_MODEL_CHANNEL_OPERANDS][NPU_MODEL_CHANNELS];
	/* One value a position and channel: sums of products, of inputs, operands. */
	union {
		__u32 acc[NPU_MODEL_POSITIONS * NPU_MODEL_CHANNELS];
		__s64 wide[NPU_MODEL_POSITIONS * NPU_MODEL_CHANNELS / 2];
	};
	__s32 sums[NPU_MODEL_POSITIONS * NPU_MODEL_CHANNELS];
	__u32 operand[NPU_MODEL_POSITIONS * NPU_MODEL_CHANNELS];
	__u8 stage[NPU_MODEL_POSITIONS * NPU_MODEL_CHANNELS * 4];
	__u8 cbuf[12 * 32768];
};

/**
 * npu_model_init() - power-on state
 * @core: the core; its memory need not be initialised
 * @index: its number, 0 to 2
 * @bus: the bus it masters
 * @params: its timing
 */
void npu_model_init(struct npu_model_core *core, __u32 index,
		    const struct npu_model_bus *bus,
		    const struct npu_model_params *params);

/**
 * npu_model_reset() - reset a core; statistics are kept
 * @core: the core
 */
void npu_model_reset(struct npu_model_core *core);

/**
 * npu_model_read_reg() - read a register of the window
 * @core: the core
 * @reg: byte offset in the window
 *
 * Return: the value; 0 for what does not exist.
 */
__u32 npu_model_read_reg(const struct npu_model_core *core, __u32 reg);

/**
 * npu_model_write_reg() - write a register of the window
 * @core: the core
 * @reg: byte offset in the window
 * @value: the value
 *
 * Writing 1 to PC_OPERATION_ENABLE only notes the start: the host then calls
 * npu_model_run() where it may take its time.
 */
void npu_model_write_reg(struct npu_model_core *core, __u32 reg, __u32 value);

/**
 * npu_model_run() - run what was started until its interrupt or its end
 * @core: the core
 *
 * Return: how it ended; %NPU_MODEL_HUNG if nothing was started.
 */
enum npu_model_status npu_model_run(struct npu_model_core *core);

/**
 * npu_model_irq() - level of the interrupt line
 * @core: the core
 *
 * Return: not 0 if a bit is raised that is not masked.
 */
__u32 npu_model_irq(const struct npu_model_core *core);

#ifdef __cplusplus
}
#endif

#endif /* NPU_MODEL_H */
