/* SPDX-License-Identifier: GPL-2.0-only */
/* Movers: the moves of a file happen one at a time, in a worker. */
#ifndef NPU_MOVER_H
#define NPU_MOVER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/**
 * struct npu_move - a buffer that is to move
 *
 * Protected by npu_mover.lock.
 */
struct npu_move {
	/** @link: In &npu_mover.moves while it is queued. */
	struct list_head link;
	/** @state: Whether it is queued, runs, is called for; 0 while it is idle. */
	unsigned int state;
	/** @out: The queued move goes to system memory. */
	bool out;
	/** @cancelled: The running move is to end, whatever it waits for. */
	bool cancelled;
	/** @result: What the last run that a thread called for returned. */
	int result;
};

/**
 * struct npu_mover - the moves of a file
 */
struct npu_mover {
	/** @work: Runs the moves. */
	struct work_struct work;
	/** @queue: Where @work is queued; the device's. */
	struct workqueue_struct *queue;
	/** @still: Woken when a move becomes idle or is cancelled; shared. */
	wait_queue_head_t *still;
	/** @run: Moves a buffer; may sleep. Returns 0 or a negative errno. */
	int (*run)(struct npu_move *move, bool out);
	/** @lock: Protects @moves and what is in it; an innermost lock. */
	spinlock_t lock;
	/** @moves: Moves that are queued. */
	struct list_head moves;
};

void npu_mover_init(struct npu_mover *mover, struct workqueue_struct *queue,
		    wait_queue_head_t *still,
		    int (*run)(struct npu_move *move, bool out));
void npu_mover_fini(struct npu_mover *mover);
void npu_mover_post(struct npu_mover *mover, struct npu_move *move);
int npu_mover_call(struct npu_mover *mover, struct npu_move *move, bool out);
void npu_mover_cancel(struct npu_mover *mover, struct npu_move *move);

#endif /* NPU_MOVER_H */
