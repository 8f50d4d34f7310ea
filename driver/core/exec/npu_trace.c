// SPDX-License-Identifier: GPL-2.0-only
/* Trace events of slices. */
#define CREATE_TRACE_POINTS
#include "npu_trace.h"
