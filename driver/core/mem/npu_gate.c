// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates: each address space has one. The dispatcher passes it before each slice
 * and leaves it at the slice's end. Code that moves buffers closes the gate, waits
 * for the slices inside, moves, and opens it again: it waits for slices, not for
 * jobs, and never calls the dispatcher.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "npu_gate.h"

/**
 * npu_gate_init() - prepare an open gate
 * @gate: the gate
 * @still: what to wake when its last slice ends
 */
void npu_gate_init(struct npu_gate *gate, wait_queue_head_t *still)
{
	spin_lock_init(&gate->lock);
	mutex_init(&gate->notify);
	gate->still = still;
}

/**
 * npu_gate_fini() - undo npu_gate_init()
 * @gate: the gate, which nothing uses any more
 */
void npu_gate_fini(struct npu_gate *gate)
{
	mutex_destroy(&gate->notify);
}

/**
 * npu_gate_listen() - set what is called when the gate opens
 * @gate: the gate
 * @opened: the function; %NULL for none, after which none runs any more
 */
void npu_gate_listen(struct npu_gate *gate,
		     void (*opened)(struct npu_gate *gate))
{
	mutex_lock(&gate->notify);
	gate->opened = opened;
	mutex_unlock(&gate->notify);
}

/**
 * npu_gate_enter() - a slice is about to start
 * @gate: the gate
 *
 * Callable in any context.
 *
 * Return: whether it may; then npu_gate_leave() has to follow.
 */
bool npu_gate_enter(struct npu_gate *gate)
{
	unsigned long flags;
	bool open;

	spin_lock_irqsave(&gate->lock, flags);
	open = !gate->closed;
	if (open) {
		gate->inside++;
		gate->used = get_jiffies_64();
	}
	spin_unlock_irqrestore(&gate->lock, flags);
	return open;
}

/**
 * npu_gate_leave() - a slice has ended
 * @gate: the gate
 *
 * Callable in any context.
 */
void npu_gate_leave(struct npu_gate *gate)
{
	unsigned long flags;
	bool wake;

	spin_lock_irqsave(&gate->lock, flags);
	wake = !--gate->inside && gate->closed;
	gate->used = get_jiffies_64();
	spin_unlock_irqrestore(&gate->lock, flags);
	if (wake)
		wake_up_all(gate->still);
}

/**
 * npu_gate_used_since() - has a slice been inside lately?
 * @gate: the gate
 * @since: a time in jiffies
 *
 * Return: whether one is inside, or has been since then.
 */
bool npu_gate_used_since(struct npu_gate *gate, u64 since)
{
	bool used;

	spin_lock_irq(&gate->lock);
	used = gate->inside || (gate->used && gate->used >= since);
	spin_unlock_irq(&gate->lock);
	return used;
}

/**
 * npu_gate_close() - let no more slices in
 * @gate: the gate
 *
 * Undone by npu_gate_open(), as often.
 */
void npu_gate_close(struct npu_gate *gate)
{
	spin_lock_irq(&gate->lock);
	gate->closed++;
	spin_unlock_irq(&gate->lock);
}

/**
 * npu_gate_open() - let slices in again
 * @gate: the gate; may sleep
 */
void npu_gate_open(struct npu_gate *gate)
{
	bool open;

	mutex_lock(&gate->notify);
	spin_lock_irq(&gate->lock);
	open = !--gate->closed;
	spin_unlock_irq(&gate->lock);
	if (open && gate->opened)
		gate->opened(gate);
	mutex_unlock(&gate->notify);
}

static bool npu_gate_still(struct npu_gate *gate)
{
	bool still;

	spin_lock_irq(&gate->lock);
	still = !gate->inside;
	spin_unlock_irq(&gate->lock);
	return still;
}

/**
 * npu_gate_wait() - wait for the slices inside to end
 * @gate: the gate, which is closed
 * @cancelled: ends the wait when it is set before &npu_gate.still is woken
 *
 * Return: 0 or -ECANCELED.
 */
int npu_gate_wait(struct npu_gate *gate, const bool *cancelled)
{
	wait_event_idle(*gate->still,
			READ_ONCE(*cancelled) || npu_gate_still(gate));
	return READ_ONCE(*cancelled) ? -ECANCELED : 0;
}
