/* SPDX-License-Identifier: MIT */
/// Jobs of clients of mainline's rocket driver, on that or on ours.
#include "igt.h"
#include "rocket_client.h"

SUBTEST(rocket_one_task)
{
	const Fd file = rocket::open_device();
	const rocket::Client client(file);

	client.run(1);
}

SUBTEST(rocket_sixteen_tasks)
{
	const Fd file = rocket::open_device();
	const rocket::Client client(file);

	client.run(16);
}

SUBTEST(rocket_two_files)
{
	const Fd first = rocket::open_device(), second = rocket::open_device();
	const rocket::Client one(first), two(second);

	for (int i = 0; i < 10; i++) {
		one.run(1);
		two.run(2);
	}
}
