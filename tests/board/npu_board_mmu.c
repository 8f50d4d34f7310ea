// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers, page tables and translation cache of a Rockchip IOMMU of the second
 * version. It remembers what it has translated until it is told to forget, so
 * that a driver that forgets to tell it is found out.
 */
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "npu_board.h"

/* Address of a refused access that firmware may have left. */
#define BANK_STALE_ADDR		0xfee00000

static unsigned int replays = 30;
module_param(replays, uint, 0644);
MODULE_PARM_DESC(replays, "How often an access that was refused is done again until the core is reset (default 30)");

#define BANK_DTE_ADDR		0x00
#define BANK_STATUS		0x04
#define   BANK_STATUS_PAGING		BIT(0)
#define   BANK_STATUS_FAULT		BIT(1)
#define   BANK_STATUS_STALL		BIT(2)
#define   BANK_STATUS_IDLE		BIT(3)
#define   BANK_STATUS_EMPTY		BIT(4)
#define   BANK_STATUS_WRITE		BIT(5)
#define   BANK_STATUS_NO_STALL		BIT(31)
#define BANK_COMMAND		0x08
#define   BANK_COMMAND_PAGING_ON	0
#define   BANK_COMMAND_PAGING_OFF	1
#define   BANK_COMMAND_STALL_ON		2
#define   BANK_COMMAND_STALL_OFF	3
#define   BANK_COMMAND_ZAP		4
#define   BANK_COMMAND_FAULT_DONE	5
#define   BANK_COMMAND_RESET		6
#define BANK_FAULT_ADDR		0x0c
#define BANK_ZAP_ONE		0x10
#define BANK_INT_RAW		0x14
#define BANK_INT_CLEAR		0x18
#define BANK_INT_MASK		0x1c
#define BANK_INT_STATUS		0x20
#define BANK_AUTO_GATING	0x24

#define BANK_INT_FAULT		BIT(0)
#define BANK_INTS		GENMASK(1, 0)

#define ENTRY_VALID		BIT(0)
#define ENTRY_READABLE		BIT(1)
#define ENTRY_WRITABLE		BIT(2)

/* Bits 39:36 of an address are in 7:4 of an entry, 35:32 in 11:8. */
static phys_addr_t npu_board_entry_addr(u32 entry)
{
	return (u64)FIELD_GET(GENMASK(7, 4), entry) << 36 |
	       (u64)FIELD_GET(GENMASK(11, 8), entry) << 32 |
	       (entry & GENMASK(31, 12));
}

static void npu_board_bank_forget(struct npu_board_bank *bank)
{
	memset(bank->tlb, 0, sizeof(bank->tlb));
}

/**
 * npu_board_bank_reset() - state after a reset
 * @bank: the bank
 */
void npu_board_bank_reset(struct npu_board_bank *bank)
{
	bool present = bank->present;

	memset(bank, 0, sizeof(*bank));
	bank->present = present;
}

/**
 * npu_board_bank_stale() - state in which firmware may leave a bank
 * @bank: the bank
 */
void npu_board_bank_stale(struct npu_board_bank *bank)
{
	bank->paging = true;
	bank->fault = true;
	bank->fault_addr = BANK_STALE_ADDR;
	bank->raw = BANK_INT_FAULT;
}

/**
 * npu_board_bank_irq() - level of the interrupt line
 * @bank: the bank
 *
 * Return: whether it is raised.
 */
bool npu_board_bank_irq(const struct npu_board_bank *bank)
{
	return bank->raw & bank->mask;
}

/**
 * npu_board_bank_read() - read a register
 * @core: the core
 * @bank: one of its banks
 * @reg: offset
 *
 * Return: the value.
 */
u32 npu_board_bank_read(struct npu_board_core *core,
			const struct npu_board_bank *bank, u32 reg)
{
	u32 status;

	lockdep_assert_held(&core->lock);
	switch (reg) {
	case BANK_DTE_ADDR:
		return bank->dte;
	case BANK_STATUS:
		status = bank->stalled ? BANK_STATUS_STALL : BANK_STATUS_NO_STALL;
		if (bank->paging)
			status |= BANK_STATUS_PAGING;
		if (bank->fault)
			status |= BANK_STATUS_FAULT;
		if (bank->fault && bank->write)
			status |= BANK_STATUS_WRITE;
		if (!core->running)
			status |= BANK_STATUS_IDLE | BANK_STATUS_EMPTY;
		return status;
	case BANK_FAULT_ADDR:
		return bank->fault_addr;
	case BANK_INT_RAW:
		return bank->raw;
	case BANK_INT_MASK:
		return bank->mask;
	case BANK_INT_STATUS:
		return bank->raw & bank->mask;
	case BANK_AUTO_GATING:
		return bank->gating;
	default:
		return 0;
	}
}

static void npu_board_bank_command(struct npu_board_core *core,
				   struct npu_board_bank *bank, u32 command)
{
	atomic_inc(&core->counts.iommu_commands);
	switch (command) {
	case BANK_COMMAND_PAGING_ON:
		bank->paging = true;
		break;
	case BANK_COMMAND_PAGING_OFF:
		bank->paging = false;
		break;
	case BANK_COMMAND_STALL_ON:
		/* A bank with a fault never reports a stall. */
		bank->stalled = bank->paging && !bank->fault;
		break;
	case BANK_COMMAND_STALL_OFF:
		bank->stalled = false;
		wake_up_all(&core->wait);
		break;
	case BANK_COMMAND_ZAP:
		npu_board_bank_forget(bank);
		break;
	case BANK_COMMAND_FAULT_DONE:
		if (bank->pending && core->replays)
			npu_board_wrong(core, "the same fault again, not shut until reset",
					bank->fault_addr);
		bank->fault = false;
		bank->replay = bank->pending &&
			       core->replays < READ_ONCE(replays);
		break;
	case BANK_COMMAND_RESET:
		npu_board_bank_reset(bank);
		wake_up_all(&core->wait);
		break;
	default:
		npu_board_wrong(core, "unknown IOMMU command", command);
		break;
	}
}

/**
 * npu_board_bank_write() - write a register
 * @core: the core
 * @bank: one of its banks
 * @reg: offset
 * @value: the value
 */
void npu_board_bank_write(struct npu_board_core *core,
			  struct npu_board_bank *bank, u32 reg, u32 value)
{
	struct npu_board_tlb *tlb;

	lockdep_assert_held(&core->lock);
	switch (reg) {
	case BANK_DTE_ADDR:
		bank->dte = value;
		break;
	case BANK_COMMAND:
		npu_board_bank_command(core, bank, value);
		break;
	case BANK_ZAP_ONE:
		atomic_inc(&core->counts.iommu_zaps);
		tlb = &bank->tlb[(value >> 12) % NPU_BOARD_TLB];
		if (tlb->page == value >> 12)
			tlb->entry = 0;
		break;
	case BANK_INT_CLEAR:
		bank->raw &= ~value;
		break;
	case BANK_INT_MASK:
		bank->mask = value & BANK_INTS;
		break;
	case BANK_AUTO_GATING:
		bank->gating = value;
		break;
	default:
		npu_board_wrong(core, "write to an IOMMU register", reg);
		break;
	}
}

/**
 * npu_board_bank_fault() - raise a fault
 * @core: the core
 * @bank: one of its banks
 * @addr: device address
 * @write: it is a write
 */
void npu_board_bank_fault(struct npu_board_core *core,
			  struct npu_board_bank *bank, u32 addr, bool write)
{
	lockdep_assert_held(&core->lock);
	atomic_inc(&core->counts.faults);
	bank->fault = true;
	bank->pending = true;
	bank->write = write;
	bank->fault_addr = addr;
	bank->raw |= BANK_INT_FAULT;
}

/**
 * npu_board_bank_replay() - do an access again that was refused
 * @core: the core
 * @bank: one of its banks
 *
 * The page tables have not changed meanwhile, so the access is refused again.
 */
void npu_board_bank_replay(struct npu_board_core *core,
			   struct npu_board_bank *bank)
{
	lockdep_assert_held(&core->lock);
	if (!bank->replay)
		return;
	bank->replay = false;
	core->replays++;
	atomic_inc(&core->counts.replays);
	bank->fault = true;
	bank->raw |= BANK_INT_FAULT;
}

/* Read a page table entry; 0 if it is not in memory. */
static u32 npu_board_walk(phys_addr_t table, u32 index)
{
	if (!pfn_valid(PHYS_PFN(table)))
		return 0;
	return READ_ONCE(((u32 *)phys_to_virt(table))[index]);
}

/**
 * npu_board_bank_translate() - translate a device address
 * @core: the core
 * @bank: one of its banks
 * @addr: device address
 * @write: it is a write
 *
 * Callers must hold rcu_read_lock() for as long as they use the memory.
 *
 * Return: an address of the kernel, for the rest of the page; or %NULL after a
 * fault.
 */
void *npu_board_bank_translate(struct npu_board_core *core,
			       struct npu_board_bank *bank, u32 addr,
			       bool write)
{
	u32 page = addr >> 12, want = ENTRY_VALID, entry;
	struct npu_board_tlb *tlb = &bank->tlb[page % NPU_BOARD_TLB];
	phys_addr_t memory;

	lockdep_assert_held(&core->lock);
	/* Without translation, the access could reach any memory. */
	if (!bank->paging) {
		npu_board_wrong(core, "access without translation", addr);
		return NULL;
	}
	want |= write ? ENTRY_WRITABLE : ENTRY_READABLE;
	if (!tlb->entry || tlb->page != page) {
		entry = npu_board_walk(npu_board_entry_addr(bank->dte),
				       addr >> 22);
		if (entry & ENTRY_VALID)
			entry = npu_board_walk(npu_board_entry_addr(entry),
					       page & GENMASK(9, 0));
		tlb->page = page;
		tlb->entry = entry & ENTRY_VALID ? entry : 0;
	}
	memory = npu_board_entry_addr(tlb->entry);
	if ((tlb->entry & want) != want || !pfn_valid(PHYS_PFN(memory))) {
		npu_board_bank_fault(core, bank, addr, write);
		return NULL;
	}
	return npu_board_view_memory(memory + offset_in_page(addr));
}
