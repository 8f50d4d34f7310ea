// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movers: each file has one, a work item on a workqueue of the device.
 *
 * A move closes gates, of its own file and of files whose buffers it evicts. A
 * thread that holds a gate closed must run as soon as it can, so moves never run
 * in a thread of a client, which may be stopped, throttled or of low priority.
 * Clients queue a move and wait for it, under no lock of the DRM core.
 *
 * A work item never runs twice at a time, so a file cannot have more than one
 * thread move buffers, however many moves it asks for.
 */
#include <linux/sched.h>

#include "npu_mover.h"

#define NPU_MOVE_QUEUED		1u
#define NPU_MOVE_RUNNING	2u
/* A thread waits for the result of the move that is queued, or that runs. */
#define NPU_MOVE_CALLED		4u

/* Take the next move, which becomes the running one. */
static struct npu_move *npu_mover_next(struct npu_mover *mover, bool *out,
				       unsigned int *done)
{
	struct npu_move *move;

	spin_lock_irq(&mover->lock);
	move = list_first_entry_or_null(&mover->moves, struct npu_move, link);
	if (move) {
		list_del_init(&move->link);
		*out = move->out;
		move->out = false;
		move->cancelled = false;
		*done = NPU_MOVE_RUNNING | (move->state & NPU_MOVE_CALLED);
		WRITE_ONCE(move->state, *done);
	}
	spin_unlock_irq(&mover->lock);
	return move;
}

static void npu_mover_work(struct work_struct *work)
{
	struct npu_mover *mover = container_of(work, struct npu_mover, work);
	wait_queue_head_t *still = mover->still;
	struct npu_move *move;
	unsigned int done;
	bool out;

	while ((move = npu_mover_next(mover, &out, &done))) {
		int result = mover->run(move, out);

		spin_lock_irq(&mover->lock);
		if (done & NPU_MOVE_CALLED)
			move->result = result;
		/* An idle move may be freed at once. */
		smp_store_release(&move->state, move->state & ~done);
		spin_unlock_irq(&mover->lock);
		wake_up_all(still);
		cond_resched();
	}
}

/**
 * npu_mover_init() - prepare a mover without moves
 * @mover: the mover
 * @queue: workqueue that it runs on, which must outlive it
 * @still: what to wake when a move becomes idle; must outlive it
 * @run: moves a buffer to the chip, or to system memory; may sleep. Ends early
 *	with an error once &npu_move.cancelled is set.
 */
void npu_mover_init(struct npu_mover *mover, struct workqueue_struct *queue,
		    wait_queue_head_t *still,
		    int (*run)(struct npu_move *move, bool out))
{
	INIT_WORK(&mover->work, npu_mover_work);
	spin_lock_init(&mover->lock);
	INIT_LIST_HEAD(&mover->moves);
	mover->queue = queue;
	mover->still = still;
	mover->run = run;
}

/**
 * npu_mover_fini() - undo npu_mover_init(); may sleep
 * @mover: the mover, whose moves are all idle
 */
void npu_mover_fini(struct npu_mover *mover)
{
	cancel_work_sync(&mover->work);
}

/* Queue @move, ahead of all others if @first. */
static void npu_mover_queue(struct npu_mover *mover, struct npu_move *move,
			    bool first)
{
	lockdep_assert_held(&mover->lock);
	if (move->state & NPU_MOVE_QUEUED)
		list_del(&move->link);
	if (first)
		list_add(&move->link, &mover->moves);
	else
		list_add_tail(&move->link, &mover->moves);
	WRITE_ONCE(move->state, move->state | NPU_MOVE_QUEUED);
	queue_work(mover->queue, &mover->work);
}

/**
 * npu_mover_post() - queue a move to the chip
 * @mover: the mover
 * @move: the move; does nothing if it is queued already
 *
 * A move that runs is run again.
 */
void npu_mover_post(struct npu_mover *mover, struct npu_move *move)
{
	spin_lock_irq(&mover->lock);
	if (!(move->state & NPU_MOVE_QUEUED))
		npu_mover_queue(mover, move, false);
	spin_unlock_irq(&mover->lock);
}

/* Are all of @states over? */
static bool npu_move_over(const struct npu_move *move, unsigned int states)
{
	/* Pairs with the release in npu_mover_work(): the result is there. */
	return !(smp_load_acquire(&move->state) & states);
}

/**
 * npu_mover_cancel() - end a move, and wait until it is idle; may sleep
 * @mover: the mover
 * @move: the move, which the caller keeps others from posting
 */
void npu_mover_cancel(struct npu_mover *mover, struct npu_move *move)
{
	spin_lock_irq(&mover->lock);
	if (move->state & NPU_MOVE_QUEUED) {
		list_del_init(&move->link);
		move->out = false;
		WRITE_ONCE(move->state, move->state & NPU_MOVE_RUNNING);
	}
	WRITE_ONCE(move->cancelled, true);
	spin_unlock_irq(&mover->lock);
	wake_up_all(mover->still);
	wait_event(*mover->still, npu_move_over(move, ~0u));
}

/**
 * npu_mover_call() - have a move done now, and wait for it; may sleep
 * @mover: the mover
 * @move: the move; calls for one must be serialised
 * @out: whether it goes to system memory
 *
 * A move that runs already is ended and run again. The new one goes ahead of all
 * that are queued.
 *
 * Return: what the run returned, or -ERESTARTSYS if a signal has ended it.
 */
int npu_mover_call(struct npu_mover *mover, struct npu_move *move, bool out)
{
	bool running;

	spin_lock_irq(&mover->lock);
	running = move->state & NPU_MOVE_RUNNING;
	if (running)
		WRITE_ONCE(move->cancelled, true);
	move->out = out;
	move->result = -ERESTARTSYS;
	npu_mover_queue(mover, move, true);
	WRITE_ONCE(move->state, move->state | NPU_MOVE_CALLED);
	spin_unlock_irq(&mover->lock);
	if (running)
		wake_up_all(mover->still);
	if (wait_event_interruptible(*mover->still,
				     npu_move_over(move, NPU_MOVE_CALLED))) {
		npu_mover_cancel(mover, move);
		if (move->result == -ECANCELED)
			return -ERESTARTSYS;
	}
	return move->result;
}
