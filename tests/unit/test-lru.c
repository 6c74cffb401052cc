#include "fs/lru.h"

#include <stdbool.h>

static guint freed;

static void count(gpointer value)
{
	freed++;
}

static Lru *lru_of(guint64 max_cost)
{
	freed = 0;
	return lru_new(max_cost, count);
}

static void put(Lru *lru, guint64 key, guint64 cost)
{
	lru_put(lru, key, GUINT_TO_POINTER((guint)key), cost);
}

static bool has(Lru *lru, guint64 key)
{
	return lru_get(lru, key) != NULL;
}

static void test_what_was_not_used_for_longest_goes(void)
{
	Lru *lru = lru_of(3);
	put(lru, 1, 1);
	put(lru, 2, 1);
	put(lru, 3, 1);
	g_assert_true(has(lru, 1));
	put(lru, 4, 1);
	g_assert_true(has(lru, 1) && has(lru, 3) && has(lru, 4));
	g_assert_false(has(lru, 2));
	g_assert_cmpuint(freed, ==, 1);
	lru_free(lru);
	g_assert_cmpuint(freed, ==, 4);
}

static void test_as_many_go_as_it_takes(void)
{
	Lru *lru = lru_of(10);
	for (guint64 key = 1; key <= 10; key++)
		put(lru, key, 1);
	put(lru, 11, 7);
	g_assert_cmpuint(freed, ==, 7);
	g_assert_true(has(lru, 8) && has(lru, 9) && has(lru, 10) && has(lru, 11));
	lru_free(lru);
}

static void test_one_that_is_too_large_stays_alone(void)
{
	Lru *lru = lru_of(10);
	put(lru, 1, 1);
	put(lru, 2, 100);
	g_assert_true(has(lru, 2));
	g_assert_false(has(lru, 1));
	put(lru, 3, 1);
	g_assert_true(has(lru, 3));
	g_assert_false(has(lru, 2));
	lru_free(lru);
}

static void test_another_value_takes_the_place(void)
{
	Lru *lru = lru_of(10);
	put(lru, 1, 9);
	put(lru, 2, 1);
	lru_put(lru, 1, GUINT_TO_POINTER(7), 9);
	g_assert_cmpuint(freed, ==, 1);
	g_assert_cmpuint(GPOINTER_TO_UINT(lru_get(lru, 1)), ==, 7);
	g_assert_true(has(lru, 2));
	lru_free(lru);
	g_assert_cmpuint(freed, ==, 3);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lru/order", test_what_was_not_used_for_longest_goes);
	g_test_add_func("/lru/cost", test_as_many_go_as_it_takes);
	g_test_add_func("/lru/too-large", test_one_that_is_too_large_stays_alone);
	g_test_add_func("/lru/again", test_another_value_takes_the_place);
	return g_test_run();
}
