/* SPDX-License-Identifier: MIT */
/*
 * Sorted trees with the kernel's interface. They are treaps instead: trees by
 * order that are heaps by random priority, and so shallow.
 */
#ifndef SHIM_LINUX_RBTREE_H
#define SHIM_LINUX_RBTREE_H

#include <linux/container_of.h>
#include <linux/types.h>

struct rb_node {
	struct rb_node *parent;
	struct rb_node *child[2];
	u32 priority;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

#define RB_ROOT_CACHED ((struct rb_root_cached){{NULL}, NULL})
#define RB_EMPTY_ROOT(root) (!(root)->rb_node)
/* A node that is its own parent is in no tree. */
#define RB_EMPTY_NODE(node) ((node)->parent == (node))
#define RB_CLEAR_NODE(node) ((node)->parent = (node))
#define rb_entry(pointer, type, member) container_of(pointer, type, member)
#define rb_first_cached(tree) ((tree)->rb_leftmost)

/* Where the tree refers to @node. */
static inline struct rb_node **shim_rb_link(struct rb_root_cached *tree, struct rb_node *node)
{
	struct rb_node *parent = node->parent;

	return parent ? &parent->child[parent->child[1] == node] : &tree->rb_root.rb_node;
}

/* Exchange @node and its child on @side. */
static inline void shim_rb_rotate(struct rb_root_cached *tree, struct rb_node *node, int side)
{
	struct rb_node **link = shim_rb_link(tree, node);
	struct rb_node *child = node->child[side], *inner = child->child[!side];

	*link = child;
	child->parent = node->parent;
	child->child[!side] = node;
	node->parent = child;
	node->child[side] = inner;
	if (inner)
		inner->parent = node;
}

static inline u32 shim_rb_random(void)
{
	static u32 state = 1;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static inline void rb_add_cached(struct rb_node *node, struct rb_root_cached *tree,
				 bool (*less)(struct rb_node *, const struct rb_node *))
{
	struct rb_node **link = &tree->rb_root.rb_node;
	bool leftmost = true;

	node->parent = NULL;
	node->child[0] = NULL;
	node->child[1] = NULL;
	node->priority = shim_rb_random();
	while (*link) {
		bool right = !less(node, *link);

		leftmost = leftmost && !right;
		node->parent = *link;
		link = &(*link)->child[right];
	}
	*link = node;
	if (leftmost)
		tree->rb_leftmost = node;
	while (node->parent && node->parent->priority < node->priority)
		shim_rb_rotate(tree, node->parent, node->parent->child[1] == node);
}

/* The node after @node, which has nothing to its left. */
static inline struct rb_node *shim_rb_second(const struct rb_node *node)
{
	struct rb_node *next = node->child[1];

	if (!next)
		return node->parent;
	while (next->child[0])
		next = next->child[0];
	return next;
}

static inline void rb_erase_cached(struct rb_node *node, struct rb_root_cached *tree)
{
	struct rb_node *child;

	if (tree->rb_leftmost == node)
		tree->rb_leftmost = shim_rb_second(node);
	while (node->child[0] && node->child[1])
		shim_rb_rotate(tree, node, node->child[1]->priority > node->child[0]->priority);
	child = node->child[!node->child[0]];
	*shim_rb_link(tree, node) = child;
	if (child)
		child->parent = node->parent;
}

#endif
