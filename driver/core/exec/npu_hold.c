// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work is held back: that of a file while its buffers move, that of the device
 * while the system sleeps.
 */
#include <linux/export.h>
#include <linux/wait.h>

#include "npu_context.h"
#include "../include/npu_device.h"
#include "../include/npu_hw.h"
#include "../mem/npu_residency.h"
#include "npu_dispatch.h"
#include "../mem/npu_vm.h"

/**
 * npu_dispatch_held() - must the head wait until buffers have moved?
 * @ctx: the context, which has a head
 *
 * Return: whether it must; not if it has begun.
 */
bool npu_dispatch_held(struct npu_context *ctx)
{
	lockdep_assert_held(&ctx->npu->sched_lock);
	return ctx->vm->held && !npu_dispatch_head(ctx)->begun;
}

/**
 * npu_dispatch_hold() - begin no more jobs of a file
 * @vm: its address space
 *
 * Jobs that have begun go on. Undone by npu_dispatch_release(), as often.
 */
void npu_dispatch_hold(struct npu_vm *vm)
{
	struct npu_context *ctx;
	u64 now;

	spin_lock_irq(&vm->npu->sched_lock);
	now = npu_now(vm->npu);
	vm->held++;
	list_for_each_entry(ctx, &vm->contexts, vm_link) {
		if (!ctx->entity.ready || !npu_dispatch_held(ctx))
			continue;
		npu_entity_unready(&ctx->entity, now);
		npu_entity_idle(&ctx->entity);
	}
	spin_unlock_irq(&vm->npu->sched_lock);
}

/**
 * npu_dispatch_release() - go on with what npu_dispatch_hold() has held up
 * @vm: the address space
 */
void npu_dispatch_release(struct npu_vm *vm)
{
	struct npu_context *ctx;
	u64 now;

	spin_lock_irq(&vm->npu->sched_lock);
	now = npu_now(vm->npu);
	if (!--vm->held) {
		list_for_each_entry(ctx, &vm->contexts, vm_link)
			npu_dispatch_advance(ctx, now);
		npu_dispatch_run(vm->npu, now);
	}
	spin_unlock_irq(&vm->npu->sched_lock);
}

/* Has no job of @vm begun without having ended? */
static bool npu_dispatch_still(struct npu_vm *vm)
{
	struct npu_context *ctx;
	bool still = true;

	spin_lock_irq(&vm->npu->sched_lock);
	list_for_each_entry(ctx, &vm->contexts, vm_link)
		if (ctx->completed < ctx->submitted &&
		    npu_dispatch_head(ctx)->begun)
			still = false;
	spin_unlock_irq(&vm->npu->sched_lock);
	return still;
}

/**
 * npu_dispatch_wait_still() - wait until no job of a file runs
 * @vm: its address space, which is held
 * @cancelled: in a thread that gets no signals, what ends it: to be set before
 *	&npu_device.idle is woken; else %NULL
 *
 * Return: 0, -ERESTARTSYS or -ECANCELED.
 */
int npu_dispatch_wait_still(struct npu_vm *vm, const bool *cancelled)
{
	wait_queue_head_t *idle = &vm->npu->idle;

	if (!cancelled)
		return wait_event_interruptible(*idle, npu_dispatch_still(vm));
	wait_event_idle(*idle, READ_ONCE(*cancelled) || npu_dispatch_still(vm));
	return READ_ONCE(*cancelled) ? -ECANCELED : 0;
}

/* Has no core of @npu a lane? */
static bool npu_dispatch_idle(struct npu_device *npu)
{
	bool idle = true;
	unsigned int i;

	spin_lock_irq(&npu->sched_lock);
	for (i = 0; i < npu->core_count; i++)
		idle &= npu->cores[i].state == NPU_CORE_IDLE;
	spin_unlock_irq(&npu->sched_lock);
	return idle;
}

/**
 * npu_device_suspend() - start nothing more, and wait for what has started
 * @npu: the device
 *
 * Lanes end by themselves or by the watchdog. What is queued stays so. Called
 * by backends when the system goes to sleep.
 */
void npu_device_suspend(struct npu_device *npu)
{
	unsigned int i;

	spin_lock_irq(&npu->sched_lock);
	npu->frozen = true;
	spin_unlock_irq(&npu->sched_lock);
	wait_event(npu->idle, npu_dispatch_idle(npu));

	spin_lock_irq(&npu->sched_lock);
	for (i = 0; i < npu->core_count; i++)
		npu_core_rest(&npu->cores[i]);
	spin_unlock_irq(&npu->sched_lock);
	npu_residency_suspend(npu);
}
EXPORT_SYMBOL_GPL(npu_device_suspend);

/**
 * npu_device_resume() - go on with what is queued
 * @npu: the device
 */
void npu_device_resume(struct npu_device *npu)
{
	npu_residency_resume(npu);
	spin_lock_irq(&npu->sched_lock);
	npu->frozen = false;
	npu_dispatch_run(npu, npu_now(npu));
	spin_unlock_irq(&npu->sched_lock);
}
EXPORT_SYMBOL_GPL(npu_device_resume);

/**
 * npu_device_settle() - wait until cores have started what they were given
 * @npu: the device
 *
 * For backends with a time of their own, which must not pass meanwhile.
 */
void npu_device_settle(struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < npu->core_count; i++)
		kthread_flush_worker(npu->cores[i].worker);
}
EXPORT_SYMBOL_GPL(npu_device_settle);
