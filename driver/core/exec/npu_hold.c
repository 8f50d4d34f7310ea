// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two debugfs files, for root, that let tests decide when lanes end:
 *
 * gate
 *	Writing "CORES [PASS]" holds back the ends of lanes on these cores, one bit
 *	each, except for the next PASS ends on each of them. A core whose lane is held
 *	back stays busy, and its watchdog waits. A lane of a job that is cancelled is
 *	not held back any longer, and is charged the time until then; one of a job that
 *	has failed in another lane ends with the next write. One at a time can
 *	have the file open for writing; closing it opens the gate, so that a client that
 *	is killed blocks no core. Reading returns a line for each core: its number,
 *	whether its gate is closed, the rest of PASS, and whether
 *	its lane has ended and is held back.
 *
 * expire
 *	Writing "CORES" makes the watchdog find that the lanes of these cores took too
 *	long. It has no effect on cores whose gate is closed.
 *
 * Ends are held back where backends report them, so this works with any backend.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/lockdep.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>

#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_hold.h"

/* The longest text that is written to either file, and a line that is read. */
#define NPU_HOLD_TEXT		32

/**
 * npu_hold_closed() - does a core wait for the gate at the end of its lane?
 * @core: the core
 *
 * Return: whether it does, unless the lane is one of those that may pass.
 */
bool npu_hold_closed(const struct npu_core *core)
{
	lockdep_assert_held(&core->npu->exec->lock);
	if (core->ctx && npu_context_head(core->ctx)->error)
		return false;
	return core->npu->exec->hold.cores & BIT(core->index);
}

/**
 * npu_hold_holds() - a lane has ended: must its core wait for the gate?
 * @core: the core
 *
 * Return: whether it must; if not, the gate has counted the lane.
 */
bool npu_hold_holds(struct npu_core *core)
{
	if (!npu_hold_closed(core))
		return false;
	if (!core->pass)
		return true;
	core->pass--;
	return false;
}

/**
 * npu_hold_let_go() - the job of a core is cancelled: let its lane end
 * @core: the core, which has a lane
 * @now: the time
 *
 * A lane that was held back is charged all the time that it has had the core.
 */
void npu_hold_let_go(struct npu_core *core, u64 now)
{
	if (!core->held)
		return;
	core->end.device_ns = 0;
	npu_core_finish(core, &core->end, now);
}

/**
 * npu_hold_set() - close the gate of some cores, and open that of all others
 * @npu: the device
 * @cores: the cores, one bit each
 * @pass: how many lanes of each of them may end nevertheless
 */
void npu_hold_set(struct npu_device *npu, u32 cores, u32 pass)
{
	unsigned int i;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	npu->exec->hold.cores = cores;
	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->exec->cores[i];

		core->pass = pass;
		if (core->held && !npu_hold_holds(core))
			npu_core_finish(core, &core->end, now);
	}
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_hold_take() - become the one that controls the gate
 * @npu: the device
 *
 * Return: 0, or -EBUSY if there is another.
 */
int npu_hold_take(struct npu_device *npu)
{
	int ret = 0;

	spin_lock_irq(&npu->exec->lock);
	if (npu->exec->hold.taken)
		ret = -EBUSY;
	npu->exec->hold.taken = true;
	spin_unlock_irq(&npu->exec->lock);
	return ret;
}

/**
 * npu_hold_release() - open the gate, and leave it to others
 * @npu: the device
 */
void npu_hold_release(struct npu_device *npu)
{
	npu_hold_set(npu, 0, 0);
	spin_lock_irq(&npu->exec->lock);
	npu->exec->hold.taken = false;
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_hold_expire() - have the watchdog find that lanes took too long
 * @npu: the device
 * @cores: cores that run these lanes, one bit each
 */
void npu_hold_expire(struct npu_device *npu, u32 cores)
{
	unsigned int i;

	spin_lock_irq(&npu->exec->lock);
	for (i = 0; i < npu->core_count; i++)
		if (cores & BIT(i))
			npu_core_expire(&npu->exec->cores[i]);
	spin_unlock_irq(&npu->exec->lock);
}

static ssize_t npu_hold_read(struct file *file, char __user *to, size_t size,
			     loff_t *pos)
{
	struct npu_device *npu = file->private_data;
	char text[NPU_MAX_CORES * NPU_HOLD_TEXT];
	unsigned int i;
	int length = 0;

	spin_lock_irq(&npu->exec->lock);
	for (i = 0; i < npu->core_count; i++) {
		const struct npu_core *core = &npu->exec->cores[i];

		length += scnprintf(text + length, sizeof(text) - length,
				    "%u %u %u %u\n", i, npu_hold_closed(core),
				    core->pass, core->held);
	}
	spin_unlock_irq(&npu->exec->lock);
	return simple_read_from_buffer(to, size, pos, text, length);
}

/* Copy what is written, which is short. */
static int npu_hold_copy(char *text, const char __user *from, size_t size)
{
	if (size >= NPU_HOLD_TEXT)
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = '\0';
	return 0;
}

static ssize_t npu_hold_write(struct file *file, const char __user *from,
			      size_t size, loff_t *pos)
{
	char text[NPU_HOLD_TEXT];
	u32 cores, pass = 0;
	int ret;

	ret = npu_hold_copy(text, from, size);
	if (ret)
		return ret;
	if (sscanf(text, "%u %u", &cores, &pass) < 1)
		return -EINVAL;
	npu_hold_set(file->private_data, cores, pass);
	return size;
}

static int npu_hold_open(struct inode *inode, struct file *file)
{
	struct npu_device *npu = inode->i_private;
	int ret = 0;

	if (file->f_mode & FMODE_WRITE)
		ret = npu_hold_take(npu);
	if (ret)
		return ret;
	drm_dev_get(&npu->drm);
	file->private_data = npu;
	return 0;
}

/* Also after the device has gone, and the file with it. */
static int npu_hold_close(struct inode *inode, struct file *file)
{
	struct npu_device *npu = file->private_data;

	if (file->f_mode & FMODE_WRITE)
		npu_hold_release(npu);
	drm_dev_put(&npu->drm);
	return 0;
}

static const struct file_operations npu_hold_fops = {
	.owner = THIS_MODULE,
	.open = npu_hold_open,
	.release = npu_hold_close,
	.read = npu_hold_read,
	.write = npu_hold_write,
	.llseek = noop_llseek,
};

static ssize_t npu_expire_write(struct file *file, const char __user *from,
				size_t size, loff_t *pos)
{
	char text[NPU_HOLD_TEXT];
	u32 cores;
	int ret;

	ret = npu_hold_copy(text, from, size) ?: kstrtou32(text, 10, &cores);
	if (ret)
		return ret;
	npu_hold_expire(file->private_data, cores);
	return size;
}

static const struct file_operations npu_expire_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = npu_expire_write,
	.llseek = noop_llseek,
};

/**
 * npu_hold_debugfs_init() - make both files
 * @npu: the device, which removes them when it is unplugged
 */
void npu_hold_debugfs_init(struct npu_device *npu)
{
	struct dentry *root = npu->drm.debugfs_root;

	debugfs_create_file("gate", 0600, root, npu, &npu_hold_fops);
	debugfs_create_file("expire", 0200, root, npu, &npu_expire_fops);
}
