"""The first ones, or a fair draw."""

import collections

from tfrecords_tools.look.choose import choose_at_random, choose_first

EXAMPLES = [{"n": [n]} for n in range(10)]


def numbers(examples):
    return [example["n"][0] for example in examples]


def anything(example):
    return True


def is_even(example):
    return example["n"][0] % 2 == 0


def test_first():
    assert numbers(choose_first(EXAMPLES, 3, keep=anything)) == [0, 1, 2]
    chosen = choose_first(EXAMPLES, 3, offset=2, keep=is_even)
    assert numbers(chosen) == [4, 6, 8]
    assert numbers(choose_first(EXAMPLES, 30, keep=is_even)) == [0, 2, 4, 6, 8]
    assert choose_first(EXAMPLES, 3, offset=10, keep=anything) == []


def test_first_reads_no_further_than_it_must():
    stream = iter(EXAMPLES)
    choose_first(stream, 3, offset=1, keep=anything)
    assert numbers(stream)[0] == 4


def test_random_depends_on_the_seed_alone():
    draws = {
        seed: numbers(choose_at_random(EXAMPLES, 4, seed=seed, keep=anything))
        for seed in range(20)
    }
    assert all(draw == sorted(set(draw)) for draw in draws.values())
    assert len(set(map(tuple, draws.values()))) > 10
    again = choose_at_random(iter(EXAMPLES), 4, seed=3, keep=anything)
    assert numbers(again) == draws[3]


def test_random_chances_are_equal():
    counts = collections.Counter()
    for seed in range(2000):
        chosen = choose_at_random(EXAMPLES, 3, seed=seed, keep=anything)
        counts.update(numbers(chosen))
    # Mean 600, standard deviation 20.5.
    assert all(abs(counts[n] - 600) < 100 for n in range(10))


def test_random_draws_from_what_is_kept():
    chosen = choose_at_random(EXAMPLES, 30, seed=1, keep=is_even)
    assert numbers(chosen) == [0, 2, 4, 6, 8]
