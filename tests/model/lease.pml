/* The lease of a shared store (src/session/state/lease.rs, src/store/vault), as a model for spin; tests/real/model.py checks it.
 *
 * N machines share one record in an engine, whose writes name the version that they replace. A refresh token is good once: the
 * server gives number t + 1 for number t. Any machine may be killed at any step, and start again with nothing but its journal; or
 * be slow at any step, so that the time of its lease is over (`over`) before the next one.
 *
 * What can't be avoided is the window: a token is spent, and its successor is in no shared place yet. Whoever is killed before the
 * journal has it, or is away from there until the lease is over, may lose it. Outside of it, never:
 *   - is a refresh token sent that was spent before;
 *   - is the newest refresh token in no record and in no journal.
 *
 * What the model leaves out: that a machine is stopped between its last look at the clock and the first byte that it sends.
 * NO_FENCE: a step of the holder replaces whatever version is there, at whatever time. NO_MARK: no step before the token is sent.
 */
#ifndef N
#define N 3
#endif
#ifndef KILLS
#define KILLS 2
#endif
#ifndef SLOW
#define SLOW 3
#endif
#define FREE 9
#define NOTHING 99

byte good = 0;                                      /* the server's: the one refresh token that it takes */
byte version = 0, record = 0, lease = FREE, sent = 0; /* the engine's */
bool over = false;                                  /* the time of the lease, since the holder's last step */
bool spent = false;                                 /* good is in no shared place yet */
bool window = false;
byte spent_of[N], answer_in[N];                     /* the journals, on disks: of which token, and its successor */
byte kills = KILLS, slow = SLOW, ended = 0;

#ifdef NO_FENCE
#define MINE true
#else
#define MINE (version == v && !over)
#endif

/* A machine is killed here, and what it knew is gone. */
#define MAY_DIE(loses) if :: true :: kills > 0 -> atomic { kills--; if :: loses -> window = true :: else fi }; goto dead fi

proctype machine(byte me) {
    byte v, r, s, answer, tries = 0;
look:
    if
    :: tries == 3 -> goto done
    :: else -> tries++
    fi;
    atomic { v = version; r = record; s = sent };
    MAY_DIE(false);
    if
    :: lease == FREE || lease == me || over -> skip
    :: else -> goto done                            /* waits; another look is another machine's turn */
    fi;
    atomic {
        if
        :: version == v -> version++; v = version; lease = me; over = false
        :: else -> goto look
        fi
    };
    MAY_DIE(false);
    if
    :: answer_in[me] != NOTHING && spent_of[me] == r -> answer = answer_in[me]; goto store
    :: answer_in[me] != NOTHING && spent_of[me] != r -> answer_in[me] = NOTHING
    :: else -> skip
    fi;
    if
    :: s >= 2 -> goto let_go                        /* cut off twice: a person must sign in */
    :: else -> skip
    fi;
    MAY_DIE(false);
#ifndef NO_MARK
    atomic {
        if
        :: MINE -> version++; v = version; sent++; over = false
        :: else -> goto look
        fi
    };
    MAY_DIE(false);
#endif
    atomic {                                        /* the last look at the clock, and the token */
#ifndef NO_MARK
        if
        :: MINE -> skip
        :: else -> goto look
        fi;
#endif
        assert(r == good || window);                /* never a second spend */
        if
        :: r == good -> good++; answer = good; spent = true
        :: else -> goto let_go                      /* refused */
        fi
    };
    MAY_DIE(true);
    atomic { spent_of[me] = r; answer_in[me] = answer };
store:
    MAY_DIE(false);
    atomic {
        if
        :: MINE -> version++; record = answer; lease = FREE; sent = 0; over = false; spent = false; answer_in[me] = NOTHING
        :: else -> goto look                        /* it stays in the journal */
        fi
    };
    goto look;
let_go:
    atomic {
        if
        :: MINE -> version++; lease = FREE; over = false
        :: else -> skip
        fi
    };
    goto done;
dead:
    if
    :: true -> goto look                            /* started again, on the same disk */
    :: true -> goto done
    fi;
done:
    ended++
}

/* The time of a lease is over by every clock, if the holder is slow. */
proctype clock() {
end:
    do
    :: atomic { slow > 0 && lease != FREE && !over -> slow--; over = true; if :: spent -> window = true :: else fi }
    od
}

init {
    byte i;
    atomic {
        for (i : 0 .. N - 1) { answer_in[i] = NOTHING };
        for (i : 0 .. N - 1) { run machine(i) };
        run clock()
    };
    ended == N;
    bool kept = (record == good);
    for (i : 0 .. N - 1) { kept = kept || answer_in[i] == good };
    assert(kept || window)                          /* never a lost successor */
}
