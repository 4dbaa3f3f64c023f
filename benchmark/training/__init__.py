"""A toolkit for methods that learn: crops, batches, schedules, and a loop that survives a kill.

Every piece stands alone, and knows only contracts; a method may use all of them or none.
"""
