// SPDX-License-Identifier: GPL-2.0-only
/* What can be traced of slices. */
#define CREATE_TRACE_POINTS
#include "npu_trace.h"
