/* SPDX-License-Identifier: GPL-2.0-only */
/* Users: what all files of one user have together. */
#ifndef NPU_USER_H
#define NPU_USER_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

struct npu_device;
struct npu_users;

/**
 * enum npu_user_resource - what is limited for a user
 */
enum npu_user_resource {
	/** @NPU_USER_CONTEXTS: Contexts that live. */
	NPU_USER_CONTEXTS,
	/** @NPU_USER_JOBS: Jobs that are queued and have not ended. */
	NPU_USER_JOBS,
	/** @NPU_USER_RESOURCES: Their number. */
	NPU_USER_RESOURCES,
};

/**
 * struct npu_user - a user with open files
 */
struct npu_user {
	/** @ref: References: address spaces. */
	struct kref ref;
	/** @users: All users of the device. */
	struct npu_users *users;
	/** @link: In &npu_users.list. */
	struct list_head link;
	/** @uid: The user who opened the files. */
	kuid_t uid;
	/** @room: Waits for jobs of the user to end. */
	wait_queue_head_t room;
	/** @used: What it has; protected by &npu_users.lock. */
	u32 used[NPU_USER_RESOURCES];
};

/**
 * struct npu_users - the users of a device
 */
struct npu_users {
	/** @list_lock: Protects @list. */
	struct mutex list_lock;
	/** @list: Users with open files. */
	struct list_head list;
	/** @lock: Protects what users have; the innermost lock. */
	spinlock_t lock;
	/** @used: What all users have. */
	u32 used[NPU_USER_RESOURCES];
};

void npu_users_init(struct npu_users *users);
void npu_users_fini(struct npu_users *users);

struct npu_user *npu_user_get(struct npu_users *users, kuid_t uid);
void npu_user_put(struct npu_user *user);
bool npu_user_charge(struct npu_user *user, enum npu_user_resource what,
		     u32 amount, u32 limit);
void npu_user_uncharge(struct npu_user *user, enum npu_user_resource what,
		       u32 amount);

#endif /* NPU_USER_H */
