/* SPDX-License-Identifier: MIT */
#include "igt.h"

int main(int argc, char **argv)
{
	return igt::main(argc, argv);
}
