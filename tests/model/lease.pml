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
#define KILLS 1
#endif
#ifndef SLOW
#define SLOW 2
#endif
#ifndef TRIES
#define TRIES 2
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

/* A machine is killed after a step, which is before the next one, and what it knew is gone. */
#define MAY_DIE(loses) if :: true :: kills > 0 -> kills--; window = window || loses; goto dead fi

proctype machine(byte me) {
    byte v, r, s, answer, tries = 0;
look:
    atomic {
        v = 0; r = 0; s = 0; answer = 0;
        if
        :: tries == TRIES -> goto done
        :: else -> tries++
        fi;
        if                                          /* else it waits: its next look is another try */
        :: lease == FREE || lease == me || over -> v = version; r = record; s = sent
        :: else -> goto look
        fi;
        MAY_DIE(false)
    };
    atomic {                                        /* takes the lease */
        if
        :: version == v -> version++; v = version; lease = me; over = false
        :: else -> goto look
        fi;
        if
        :: answer_in[me] != NOTHING && spent_of[me] == r -> answer = answer_in[me]; goto store
        :: answer_in[me] != NOTHING && spent_of[me] != r -> answer_in[me] = NOTHING; spent_of[me] = 0
        :: else -> skip
        fi;
        MAY_DIE(false);
        if
        :: s >= 2 -> goto let_go                    /* cut off twice: a person must sign in */
        :: else -> skip
        fi
    };
#ifndef NO_MARK
    atomic {                                        /* the step before the token is sent */
        if
        :: MINE -> version++; v = version; sent++; over = false
        :: else -> goto look
        fi;
        MAY_DIE(false)
    };
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
        fi;
        MAY_DIE(true)
    };
    atomic { spent_of[me] = r; answer_in[me] = answer; MAY_DIE(false) };
store:
    atomic {
        if
        :: MINE -> version++; record = answer; lease = FREE; sent = 0; over = false; spent = false; answer_in[me] = NOTHING; spent_of[me] = 0
        :: else -> skip                             /* it stays in the journal */
        fi;
        MAY_DIE(false);
        goto look
    };
let_go:
    atomic {
        if
        :: MINE -> version++; lease = FREE; over = false
        :: else -> skip
        fi;
        goto done
    };
dead:
    atomic {
        v = 0; r = 0; s = 0; answer = 0;
        if
        :: true -> goto look                        /* started again, on the same disk */
        :: true -> goto done
        fi
    };
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
