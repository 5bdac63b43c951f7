package auth

// QueueFor is how many may wait at a cost of hashing.
var QueueFor = queueFor

// Turns is how many passwords may be hashed at once, and how many may wait.
func (u *Users) Turns() (atOnce, waiting int) {
	atOnce = cap(u.turns.slots)
	return atOnce, cap(u.turns.in) - atOnce
}

// InLine is how many hash, or wait for that, now.
func (u *Users) InLine() int { return len(u.turns.in) }

// TakeEveryTurn takes all turns at hashing, as many sign-ins at once do, until
// giveBack is called.
func (u *Users) TakeEveryTurn() (giveBack func()) {
	atOnce, _ := u.Turns()
	for range atOnce {
		u.turns.in <- struct{}{}
		u.turns.slots <- struct{}{}
	}
	return func() {
		for range atOnce {
			u.turns.giveBack()
			u.turns.leave()
		}
	}
}

// Decoy is the hash that unknown e-mails are held against.
func (u *Users) Decoy() string { return u.decoy }
