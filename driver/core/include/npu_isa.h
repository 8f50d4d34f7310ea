/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations of a dialect of command streams.
 *
 * A stream is an array of words, whose size is the dialect's: the commands that
 * userspace writes, and what the device is given. The core copies words and counts
 * them, and leaves what they mean to the dialect.
 */
#ifndef NPU_ISA_H
#define NPU_ISA_H

#include <linux/types.h>

struct drm_npu_query_data_type;
struct drm_npu_query_features;
struct drm_npu_query_register;
/* A chip as its dialect describes it; its layout is the dialect's own. */
struct npu_isa_chip;

/**
 * struct npu_isa_fault - where and why a stream is refused
 */
struct npu_isa_fault {
	/** @command: Index of the command, or the count for the whole stream. */
	u32 command;
	/** @reg: The register at fault, in the numbers of the dialect, or 0. */
	u32 reg;
	/** @reason: A &enum drm_npu_fault_reason. */
	u32 reason;
};

/**
 * struct npu_isa_stream - a command stream to be verified
 */
struct npu_isa_stream {
	/** @commands: The commands, words of the dialect, in memory no client can change. */
	const void *commands;
	/** @count: Number of commands. */
	u32 count;
	/** @enable: Blocks to start. */
	u32 enable;
	/**
	 * @use: Note that the job uses @size bytes at device address @addr, and
	 * whether the device writes to them. A dialect that does not know the
	 * extent of an operand passes a size of 1; see &npu_isa_ops.bounded. Returns
	 * 0, or -EINVAL unless all bytes are in one buffer, or -ENOMEM.
	 */
	int (*use)(void *data, u64 addr, u64 size, bool write);
	/** @data: Handed to @use. */
	void *data;
};

/**
 * struct npu_isa_task - cost of a task
 */
struct npu_isa_task {
	/**
	 * @continues: Reuses data that the task before has left on the chip. Never
	 * in a dialect without &npu_isa_ops.link, as anything may run between tasks.
	 */
	bool continues;
	/** @macs: Multiply-accumulates; those of fp16 count twice. */
	u64 macs;
	/** @bytes: Bytes that it has to read. */
	u64 bytes;
};

/**
 * struct npu_isa_ops - a dialect
 */
struct npu_isa_ops {
	/** @id: A &enum drm_npu_isa. */
	u32 id;
	/** @word_bytes: Bytes of a word: 1, 2, 4 or 8. */
	u32 word_bytes;
	/**
	 * @bounded: @verify passes the whole extent of each operand to
	 * &npu_isa_stream.use. Otherwise it passes where operands begin, and relies
	 * on an IOMMU to stop accesses that go beyond the buffer.
	 */
	bool bounded;
	/** @max_lane_tasks: Tasks that a lane can have. */
	u32 max_lane_tasks;
	/** @max_task_commands: Commands that the author's stream can have. */
	u32 max_task_commands;
	/** @max_stream_commands: Commands that @emit writes at most. */
	u32 max_stream_commands;
	/**
	 * @fetch_ahead: Bytes beyond the last stream of a lane that the device may
	 * read, for nothing.
	 */
	u32 fetch_ahead;
	/** @state_size: Bytes that @verify keeps between tasks of a lane. */
	size_t (*state_size)(void);
	/**
	 * @begin: Prepare @state, of state_size() bytes, for the first task of a
	 * lane for @chip.
	 */
	void (*begin)(void *state, const struct npu_isa_chip *chip);
	/**
	 * @stream_words: Words that a stream of @count commands takes in memory, with
	 * its link and rounded up to where the next stream may begin.
	 */
	u32 (*stream_words)(u32 count);
	/**
	 * @verify: Verify a stream, the next of the lane that @state was prepared
	 * for. Returns 0, -EINVAL with @fault filled in, or what @use returned.
	 */
	int (*verify)(void *state, const struct npu_isa_stream *stream,
		      struct npu_isa_fault *fault);
	/**
	 * @emit: Write the commands of the task that was verified last to
	 * @commands, as the device is to be given them: they depend on nothing
	 * that another client or lane has left. Returns their number.
	 */
	u32 (*emit)(const void *state, void *commands);
	/** @describe: Tell of the task that was verified last. */
	void (*describe)(const void *state, struct npu_isa_task *task);
	/**
	 * @features: Fill in @record for @chip, all but its command_bytes, which the
	 * core sets. What is left is zeros. Optional, as are the next two.
	 */
	void (*features)(const struct npu_isa_chip *chip,
			 struct drm_npu_query_features *record);
	/**
	 * @data_type: Fill in @record, which is zeros, with types number @index of
	 * @chip. Returns whether there are so many.
	 */
	bool (*data_type)(const struct npu_isa_chip *chip, u32 index,
			  struct drm_npu_query_data_type *record);
	/**
	 * @name: Fill in @record, which is zeros, with the names of register @reg
	 * and its block. Returns whether there is such a block.
	 */
	bool (*name)(u32 reg, struct drm_npu_query_register *record);
	/**
	 * @idle: Returns whether the task of the @count commands at @commands, which
	 * starts the blocks @enable, computes no pixel. Such a task can be left out
	 * at the end of a lane. Optional: only the family's own calls use this.
	 */
	bool (*idle)(const void *commands, u32 count, u32 enable);
	/**
	 * @split: Find the end of the commands in the @count words at
	 * @commands, a stream as its author would hand it to the hardware: with
	 * a link and a start of its own, and perhaps zeros after them. @body
	 * receives the number of commands before the link and @enable the
	 * blocks that are started. What the link says is ignored, for @link
	 * makes another. Returns 0, or -EINVAL if nothing is started. Optional:
	 * only the family's own calls use this.
	 */
	int (*split)(const void *commands, u32 count, u32 *body, u32 *enable);
	/**
	 * @link: Write to the end of the @words words at @stream the link to the
	 * stream of @next_words words at device address @next (0 and 0 if this is
	 * the last) and the start of the blocks of @enable. Words between the
	 * commands and the link are zeros. Optional: without it a core is started
	 * for each task of a lane.
	 */
	void (*link)(void *stream, u32 words, u32 enable, u64 next,
		     u32 next_words);
};

#endif /* NPU_ISA_H */
