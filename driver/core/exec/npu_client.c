// SPDX-License-Identifier: GPL-2.0-only
/* Clients: open files as the dispatcher knows them. */
#include <linux/slab.h>

#include "../include/npu_device.h"
#include "../mem/npu_vm.h"
#include "npu_client.h"
#include "npu_dispatch.h"
#include "npu_exec.h"

/* Slices of the address space may run again. */
static void npu_client_opened(struct npu_gate *gate)
{
	struct npu_vm *vm = container_of(gate, struct npu_vm, gate);

	npu_dispatch_resume(vm->client);
}

/**
 * npu_client_create() - new client without contexts
 * @vm: its address space, which has no client yet
 * @id: the file's id
 *
 * Return: the client with one reference, or %NULL.
 */
struct npu_client *npu_client_create(struct npu_vm *vm, u64 id)
{
	struct npu_client *client;

	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return NULL;
	kref_init(&client->ref);
	client->npu = vm->npu;
	client->vm = npu_vm_get(vm);
	client->id = id;
	INIT_LIST_HEAD(&client->contexts);
	npu_sched_init_file(&vm->npu->exec->sched, &client->sched);
	vm->client = client;
	npu_gate_listen(&vm->gate, npu_client_opened);
	return client;
}

/**
 * npu_client_get() - take a reference
 * @client: the client
 *
 * Return: @client.
 */
struct npu_client *npu_client_get(struct npu_client *client)
{
	kref_get(&client->ref);
	return client;
}

static void npu_client_release(struct kref *ref)
{
	struct npu_client *client = container_of(ref, struct npu_client, ref);

	npu_gate_listen(&client->vm->gate, NULL);
	client->vm->client = NULL;
	npu_cores_forget(client);
	npu_vm_put(client->vm);
	kfree(client);
}

/**
 * npu_client_put() - drop a reference; may sleep
 * @client: the client
 */
void npu_client_put(struct npu_client *client)
{
	kref_put(&client->ref, npu_client_release);
}
