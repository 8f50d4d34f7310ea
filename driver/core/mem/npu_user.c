// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users: what all files of one user have together.
 *
 * Limits of files are no limits for a user who opens many. What a user may have of a
 * resource is half of what all users may have, so that one of them leaves room for
 * another. Only what was asked for without privileges is charged.
 */
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "npu_user.h"

/**
 * npu_users_init() - prepare for users
 * @users: the users, filled with zeros
 */
void npu_users_init(struct npu_users *users)
{
	mutex_init(&users->list_lock);
	INIT_LIST_HEAD(&users->list);
	spin_lock_init(&users->lock);
}

/**
 * npu_users_fini() - undo npu_users_init()
 * @users: the users, of whom none is left
 */
void npu_users_fini(struct npu_users *users)
{
	mutex_destroy(&users->list_lock);
}

/* The user with @uid, referenced, or %NULL. */
static struct npu_user *npu_user_find(struct npu_users *users, kuid_t uid)
{
	struct npu_user *user;

	lockdep_assert_held(&users->list_lock);
	list_for_each_entry(user, &users->list, link) {
		if (!uid_eq(user->uid, uid))
			continue;
		kref_get(&user->ref);
		return user;
	}
	return NULL;
}

/**
 * npu_user_get() - find or make a user
 * @users: the users of the device
 * @uid: who it is
 *
 * Return: the user with a reference for the caller, or %NULL.
 */
struct npu_user *npu_user_get(struct npu_users *users, kuid_t uid)
{
	struct npu_user *user;

	mutex_lock(&users->list_lock);
	user = npu_user_find(users, uid);
	if (user)
		goto out_unlock;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		goto out_unlock;
	kref_init(&user->ref);
	user->users = users;
	user->uid = uid;
	init_waitqueue_head(&user->room);
	list_add_tail(&user->link, &users->list);
out_unlock:
	mutex_unlock(&users->list_lock);
	return user;
}

static void npu_user_release(struct kref *ref)
{
	struct npu_user *user = container_of(ref, struct npu_user, ref);

	/* npu_user_find() takes the lock, so it never finds a dead user. */
	list_del(&user->link);
	mutex_unlock(&user->users->list_lock);
	kfree(user);
}

/**
 * npu_user_put() - drop a reference; may sleep
 * @user: the user
 */
void npu_user_put(struct npu_user *user)
{
	kref_put_mutex(&user->ref, npu_user_release, &user->users->list_lock);
}

/**
 * npu_user_charge() - a user wants more of a resource
 * @user: the user
 * @what: the resource
 * @amount: how much more
 * @limit: how much a user may have, half of what all users together may have
 *
 * Callable in any context.
 *
 * Return: whether it may have so much; then npu_user_uncharge() has to follow.
 */
bool npu_user_charge(struct npu_user *user, enum npu_user_resource what,
		     u32 amount, u32 limit)
{
	struct npu_users *users = user->users;
	unsigned long flags;
	bool fits;

	spin_lock_irqsave(&users->lock, flags);
	fits = (u64)user->used[what] + amount <= limit &&
	       (u64)users->used[what] + amount <= 2ull * limit;
	if (fits) {
		user->used[what] += amount;
		users->used[what] += amount;
	}
	spin_unlock_irqrestore(&users->lock, flags);
	return fits;
}

/**
 * npu_user_uncharge() - a user gives something back
 * @user: the user
 * @what: the resource
 * @amount: how much
 *
 * Callable in any context.
 */
void npu_user_uncharge(struct npu_user *user, enum npu_user_resource what,
		       u32 amount)
{
	struct npu_users *users = user->users;
	unsigned long flags;

	spin_lock_irqsave(&users->lock, flags);
	user->used[what] -= amount;
	users->used[what] -= amount;
	spin_unlock_irqrestore(&users->lock, flags);
}
