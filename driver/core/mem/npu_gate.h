/* SPDX-License-Identifier: GPL-2.0-only */
/* Gates: slices do not run while buffers of their address space move. */
#ifndef NPU_GATE_H
#define NPU_GATE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct npu_gate - admission of the slices of an address space
 */
struct npu_gate {
	/** @lock: Protects @closed, @inside and @used; the innermost lock. */
	spinlock_t lock;
	/** @closed: How often it has been closed and not opened again. */
	unsigned int closed;
	/** @inside: Slices that have passed it and have not ended. */
	unsigned int inside;
	/** @used: When a slice entered or left last, in jiffies; 0 if none has. */
	u64 used;
	/** @still: Woken when the last slice ends; shared by all gates. */
	wait_queue_head_t *still;
	/** @notify: Protects @opened, and is held while it is called. */
	struct mutex notify;
	/** @opened: Called when slices may run again, or %NULL; may sleep. */
	void (*opened)(struct npu_gate *gate);
};

void npu_gate_init(struct npu_gate *gate, wait_queue_head_t *still);
void npu_gate_fini(struct npu_gate *gate);
void npu_gate_listen(struct npu_gate *gate,
		     void (*opened)(struct npu_gate *gate));
bool npu_gate_enter(struct npu_gate *gate);
void npu_gate_leave(struct npu_gate *gate);
bool npu_gate_used_since(struct npu_gate *gate, u64 since);
void npu_gate_close(struct npu_gate *gate);
void npu_gate_open(struct npu_gate *gate);
int npu_gate_wait(struct npu_gate *gate, const bool *cancelled);

#endif /* NPU_GATE_H */
