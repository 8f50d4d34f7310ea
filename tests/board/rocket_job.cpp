/* SPDX-License-Identifier: MIT */
/// Jobs of clients of mainline's rocket driver, on that or on ours.
#include "igt.h"
#include "rocket_client.h"

SUBTEST(rocket_one_task)
{
	const rocket::PatientFile file;
	const rocket::Client client(file.get());

	client.run(1);
}

SUBTEST(rocket_sixteen_tasks)
{
	const rocket::PatientFile file;
	const rocket::Client client(file.get());

	client.run(16);
}

SUBTEST(rocket_two_files)
{
	const rocket::PatientFile first, second;
	const rocket::Client one(first.get()), two(second.get());

	for (int i = 0; i < 10; i++) {
		one.run(1);
		two.run(2);
	}
}
